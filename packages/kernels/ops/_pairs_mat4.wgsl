// Eight neighbouring pairs at a time and the cosines and sines of their angles, for software adapters: on llvmpipe eight
// threads go along memory like one then, and rotating heads of 128 takes 9 ms instead of 25.
alias Pairs = mat4x4f;
alias Angles = mat2x4f;

fn rotated_two(v: vec4f, c: vec2f, s: vec2f) -> vec4f {
  return vec4f(v.x * c.x - v.y * s.x, v.x * s.x + v.y * c.x, v.z * c.y - v.w * s.y, v.z * s.y + v.w * c.y);
}

fn rotated(v: Pairs, c: Angles, s: Angles) -> Pairs {
  return mat4x4f(
    rotated_two(v[0], c[0].xy, s[0].xy),
    rotated_two(v[1], c[0].zw, s[0].zw),
    rotated_two(v[2], c[1].xy, s[1].xy),
    rotated_two(v[3], c[1].zw, s[1].zw),
  );
}

// Two neighbouring pairs at a time and the cosines and sines of their angles: one memory access instead of two.
alias Pairs = vec4f;
alias Angles = vec2f;

fn rotated(v: Pairs, c: Angles, s: Angles) -> Pairs {
  return vec4f(v.x * c.x - v.y * s.x, v.x * s.x + v.y * c.x, v.z * c.y - v.w * s.y, v.z * s.y + v.w * c.y);
}

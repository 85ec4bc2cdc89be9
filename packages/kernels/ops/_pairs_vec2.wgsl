// One pair at a time and the cosine and sine of its angle: for heads whose width is not a multiple of four.
alias Pairs = vec2f;
alias Angles = f32;

fn rotated(v: Pairs, c: Angles, s: Angles) -> Pairs {
  return vec2f(v.x * c - v.y * s, v.x * s + v.y * c);
}

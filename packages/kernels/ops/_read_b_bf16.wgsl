// Reads four consecutive elements of B, from `at` on, stored as bf16 pairs in u32 (the upper halves of f32, so a shift and a
// mask are exact); rows are a multiple of four long.
@group(0) @binding(1) var<storage, read> b: array<vec2u>;

fn read_b(at: u32, left: u32) -> vec4f {
  let pairs = b[at / 4u];
  let low = bitcast<vec2f>(pairs << vec2u(16u));
  let high = bitcast<vec2f>(pairs & vec2u(0xffff0000u));
  return vec4f(low.x, high.x, low.y, high.y);
}

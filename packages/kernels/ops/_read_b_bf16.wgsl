// Reads four consecutive elements of B, from `at` on, stored as bf16 pairs in u32 (the upper halves of f32, so a shift and a
// mask are exact); rows are a multiple of four long.
@group(0) @binding(1) var<storage, read> b: array<vec2u>;

fn raw_b(at: u32, left: u32) -> vec4u {
  return vec4u(b[at / 4u], 0u, 0u);
}

fn value_of_b(raw: vec4u) -> vec4f {
  let low = bitcast<vec2f>(raw.xy << vec2u(16u));
  let high = bitcast<vec2f>(raw.xy & vec2u(0xffff0000u));
  return vec4f(low.x, high.x, low.y, high.y);
}

// Reads four consecutive elements of B, from `at` on, stored as f16 pairs in u32; rows are a multiple of four long.
@group(0) @binding(1) var<storage, read> b: array<vec2u>;

fn raw_b(at: u32, left: u32) -> vec4u {
  return vec4u(b[at / 4u], 0u, 0u);
}

fn value_of_b(raw: vec4u) -> vec4f {
  return vec4f(unpack2x16float(raw.x), unpack2x16float(raw.y));
}

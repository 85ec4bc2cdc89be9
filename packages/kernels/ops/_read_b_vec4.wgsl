// Reads four consecutive elements of B, from `at` on; rows are a multiple of four long.
@group(0) @binding(1) var<storage, read> b: array<vec4f>;

fn raw_b(at: u32, left: u32) -> vec4u {
  return bitcast<vec4u>(b[at / 4u]);
}

fn value_of_b(raw: vec4u) -> vec4f {
  return bitcast<vec4f>(raw);
}

// Reads four consecutive elements of B, from `at` on; rows are a multiple of four long.
@group(0) @binding(1) var<storage, read> b: array<vec4f>;

fn read_b(at: u32, left: u32) -> vec4f {
  return b[at / 4u];
}

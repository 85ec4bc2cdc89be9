// Reads four consecutive elements of A, from `at` on; rows are a multiple of four long.
@group(0) @binding(0) var<storage, read> a: array<vec4f>;

fn read_a(at: u32, left: u32) -> vec4f {
  return a[at / 4u];
}

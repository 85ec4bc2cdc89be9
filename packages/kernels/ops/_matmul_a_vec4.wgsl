// Reads four consecutive elements of a row of A; rows are a multiple of four long.
@group(0) @binding(0) var<storage, read> a: array<vec4f>;

fn read_a(base: u32, row: u32, column: u32, columns: u32) -> vec4f {
  return a[(base + row * columns + column) / 4u];
}

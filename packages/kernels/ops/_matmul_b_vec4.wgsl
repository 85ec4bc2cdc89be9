// Reads four consecutive elements of a row of B; rows are a multiple of four long.
@group(0) @binding(1) var<storage, read> b: array<vec4f>;

fn read_b(base: u32, row: u32, column: u32, columns: u32) -> vec4f {
  return b[(base + row * columns + column) / 4u];
}

// Reads four consecutive elements of a row of B of any length; beyond the end they are zero.
@group(0) @binding(1) var<storage, read> b: array<f32>;

fn read_b(base: u32, row: u32, column: u32, columns: u32) -> vec4f {
  let at = base + row * columns + column;
  return vec4f(
    b[at],
    select(0.0, b[at + 1u], column + 1u < columns),
    select(0.0, b[at + 2u], column + 2u < columns),
    select(0.0, b[at + 3u], column + 3u < columns),
  );
}

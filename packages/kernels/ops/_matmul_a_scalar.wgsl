// Reads four consecutive elements of a row of A of any length; beyond the end they are zero.
@group(0) @binding(0) var<storage, read> a: array<f32>;

fn read_a(base: u32, row: u32, column: u32, columns: u32) -> vec4f {
  let at = base + row * columns + column;
  return vec4f(
    a[at],
    select(0.0, a[at + 1u], column + 1u < columns),
    select(0.0, a[at + 2u], column + 2u < columns),
    select(0.0, a[at + 3u], column + 3u < columns),
  );
}

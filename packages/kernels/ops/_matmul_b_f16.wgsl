// Reads four consecutive elements of a row of B stored as f16 pairs in u32; rows are a multiple of four long.
@group(0) @binding(1) var<storage, read> b: array<vec2u>;

fn read_b(base: u32, row: u32, column: u32, columns: u32) -> vec4f {
  let pairs = b[(base + row * columns + column) / 4u];
  return vec4f(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}

// Reads four consecutive elements of B, from `at` on, stored as f16 pairs in u32; rows are a multiple of four long.
@group(0) @binding(1) var<storage, read> b: array<vec2u>;

fn read_b(at: u32, left: u32) -> vec4f {
  let pairs = b[at / 4u];
  return vec4f(unpack2x16float(pairs.x), unpack2x16float(pairs.y));
}

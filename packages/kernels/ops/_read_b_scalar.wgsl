// Reads four consecutive elements of B, from `at` on, whose rows have any length: after the `left` ones that the row still
// has, zeros.
@group(0) @binding(1) var<storage, read> b: array<f32>;

fn read_b(at: u32, left: u32) -> vec4f {
  return vec4f(
    b[at],
    select(0.0, b[at + 1u], left > 1u),
    select(0.0, b[at + 2u], left > 2u),
    select(0.0, b[at + 3u], left > 3u),
  );
}

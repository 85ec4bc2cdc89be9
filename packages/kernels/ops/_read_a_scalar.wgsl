// Reads four consecutive elements of A, from `at` on, whose rows have any length: after the `left` ones that the row still
// has, zeros.
@group(0) @binding(0) var<storage, read> a: array<f32>;

fn read_a(at: u32, left: u32) -> vec4f {
  return vec4f(
    a[at],
    select(0.0, a[at + 1u], left > 1u),
    select(0.0, a[at + 2u], left > 2u),
    select(0.0, a[at + 3u], left > 3u),
  );
}

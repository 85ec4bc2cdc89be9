// Reads four consecutive elements of B, from `at` on, whose rows have any length: after the `left` ones that the row still
// has, zeros.
@group(0) @binding(1) var<storage, read> b: array<f32>;

fn raw_b(at: u32, left: u32) -> vec4u {
  return bitcast<vec4u>(vec4f(
    b[at],
    select(0.0, b[at + 1u], left > 1u),
    select(0.0, b[at + 2u], left > 2u),
    select(0.0, b[at + 3u], left > 3u),
  ));
}

fn value_of_b(raw: vec4u) -> vec4f {
  return bitcast<vec4f>(raw);
}

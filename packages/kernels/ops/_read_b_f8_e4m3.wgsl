// Reads four consecutive elements of B, from `at` on, stored as the f32 scale of all, then f8 e4m3fn in u32; rows are a
// multiple of four long. The format: OCP 8-bit Floating Point Specification 1.0, exponent bias 7, no infinities.
@group(0) @binding(1) var<storage, read> b: array<u32>;

fn raw_b(at: u32, left: u32) -> vec4u {
  return vec4u(b[1u + at / 4u], 0u, 0u, 0u);
}

fn value_of_b(raw: vec4u) -> vec4f {
  let bits = (vec4u(raw.x) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
  let magnitude = bits & vec4u(0x7fu);
  // The bits moved to the place of f32's have a bias that is 120 less; subnormals are multiples of 2^-9.
  let normal = bitcast<vec4f>((magnitude << vec4u(20u)) + vec4u(120u << 23u));
  let value = select(normal, vec4f(magnitude) * 0x1p-9, magnitude < vec4u(8u));
  return bitcast<f32>(b[0]) * select(value, -value, bits > vec4u(0x7fu));
}

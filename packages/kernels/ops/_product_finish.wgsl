// What is applied to a product before it is written, beside alpha and bias. The op provides output_row(row): which row of
// C, of all batches, a row of the product is.
const NOWHERE = 0xffffffffu;

override HAS_ADDEND: bool = false;
// 0 none, 1 GELU (tanh), 2 SiLU
override ACTIVATION: u32 = 0u;

fn activate(y: vec4f) -> vec4f {
  if (ACTIVATION == 1u) {
    return vec4f(gelu(y.x), gelu(y.y), gelu(y.z), gelu(y.w));
  }
  if (ACTIVATION == 2u) {
    return vec4f(silu(y.x), silu(y.y), silu(y.z), silu(y.w));
  }
  return y;
}

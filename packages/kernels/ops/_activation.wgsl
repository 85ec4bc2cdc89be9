// Activation functions.

// GELU, tanh form: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) = x sigmoid(2 u); the clamp keeps exp finite.
fn gelu(x: f32) -> f32 {
  let u = 0.7978845608028654 * (x + 0.044715 * x * x * x);
  return x / (1.0 + exp(-clamp(2.0 * u, -80.0, 80.0)));
}

// SiLU: x sigmoid(x).
fn silu(x: f32) -> f32 {
  return x / (1.0 + exp(-clamp(x, -80.0, 80.0)));
}

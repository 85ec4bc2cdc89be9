// Activation functions and their derivatives. Arguments are clamped where the result is that of the limit already, so
// that exp and what it is multiplied with stay finite.

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(-clamp(x, -80.0, 80.0)));
}

fn relu(x: f32) -> f32 {
  return max(x, 0.0);
}

// The derivative at 0 is 0.
fn relu_slope(x: f32) -> f32 {
  return select(0.0, 1.0, x > 0.0);
}

// GELU, tanh form: 0.5 x (1 + tanh(u)) = x sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3).
fn gelu(x: f32) -> f32 {
  let u = 0.7978845608028654 * (x + 0.044715 * x * x * x);
  return x * sigmoid(2.0 * u);
}

// s + x s (1 - s) 2 u', s = sigmoid(2 u), u' = sqrt(2/pi) (1 + 3 0.044715 x^2).
fn gelu_slope(x: f32) -> f32 {
  let z = clamp(x, -10.0, 10.0);
  let s = sigmoid(2.0 * 0.7978845608028654 * (z + 0.044715 * z * z * z));
  return s + z * s * (1.0 - s) * 2.0 * 0.7978845608028654 * (1.0 + 0.134145 * z * z);
}

// SiLU: x sigmoid(x).
fn silu(x: f32) -> f32 {
  return x * sigmoid(x);
}

// s + x s (1 - s), s = sigmoid(x).
fn silu_slope(x: f32) -> f32 {
  let z = clamp(x, -80.0, 80.0);
  let s = sigmoid(z);
  return s + z * s * (1.0 - s);
}

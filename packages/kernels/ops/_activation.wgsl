// Activation functions and their derivatives. Arguments are clamped where the result is that of the limit already, so
// that exp and what it is multiplied with stay finite.

// 0 none, 1 GELU (tanh), 2 SiLU, 3 ReLU
override ACTIVATION: u32 = 0u;

fn sigmoid(x: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-clamp(x, vec4f(-80.0), vec4f(80.0))));
}

// GELU, tanh form: 0.5 x (1 + tanh(u)) = x sigmoid(2 u), u = sqrt(2/pi) (x + 0.044715 x^3).
fn gelu(x: vec4f) -> vec4f {
  let u = 0.7978845608028654 * (x + 0.044715 * x * x * x);
  return x * sigmoid(2.0 * u);
}

// s + x s (1 - s) 2 u', s = sigmoid(2 u), u' = sqrt(2/pi) (1 + 3 0.044715 x^2).
fn gelu_slope(x: vec4f) -> vec4f {
  let z = clamp(x, vec4f(-10.0), vec4f(10.0));
  let s = sigmoid(2.0 * 0.7978845608028654 * (z + 0.044715 * z * z * z));
  return s + z * s * (1.0 - s) * 2.0 * 0.7978845608028654 * (1.0 + 0.134145 * z * z);
}

// s + x s (1 - s), s = sigmoid(x).
fn silu_slope(x: vec4f) -> vec4f {
  let z = clamp(x, vec4f(-80.0), vec4f(80.0));
  let s = sigmoid(z);
  return s + z * s * (1.0 - s);
}

fn activate(x: vec4f) -> vec4f {
  switch ACTIVATION {
    case 1u: { return gelu(x); }
    case 2u: { return x * sigmoid(x); }
    case 3u: { return max(x, vec4f()); }
    default: { return x; }
  }
}

// The derivative of `activate`; that of ReLU is 0 at 0, and the same at x and at ReLU(x).
fn activation_slope(x: vec4f) -> vec4f {
  switch ACTIVATION {
    case 1u: { return gelu_slope(x); }
    case 2u: { return silu_slope(x); }
    case 3u: { return select(vec4f(), vec4f(1.0), x > vec4f()); }
    default: { return vec4f(1.0); }
  }
}

// What a convolution is as a product, and which pixels its result has.
//
// y[b, p, o] = sum over taps and channels of x[b, p stride + tap - pad, i] w[tap, i, o]: implicit GEMM, no im2col buffer.
// Pixels are one side of the product, output channels the other, a tap is a segment of K, its channels are the steps.
//
// dx[b, q, i] = sum over taps and channels of dy[b, (q + pad - tap) / stride, o] w[tap, i, o] where that divides: the same
// with the roles of the pictures exchanged and w read by column. With a stride, pixels of dx that are `stride` apart meet
// the same taps: such a phase is a batch of the product, and enters only its own taps.

struct Params {
  // Pixels of the result, of a phase if it has some, and its channels.
  m: u32,
  n: u32,
  // The picture that is read.
  c_in: u32,
  height: u32,
  width: u32,
  // The result.
  out_height: u32,
  out_width: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride: u32,
  pad_top: u32,
  pad_left: u32,
  alpha: f32,
  has_bias: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

// Whether what is read is dy and the result dx, and whether the stride of y divides dx into phases.
override ADJOINT: bool = false;
override PHASED: bool = false;
var<private> phase: vec2u;

fn phase_of(z: u32) -> vec2u {
  return vec2u(z / params.stride, z % params.stride);
}

fn open(z: u32) {
  phase = phase_of(z);
}

// Lines and columns of a phase.
fn lattice() -> vec2u {
  let size = vec2u(params.out_height, params.out_width);
  return select(size, (size + params.stride - 1u) / params.stride, PHASED);
}

// Which pixel of the result, of all pictures, this one of a phase is.
fn output_pixel(pixel: u32) -> u32 {
  if (PHASED) {
    let size = lattice();
    let line = pixel / size.y;
    let at = vec2u(line % size.x, pixel % size.y) * params.stride + phase;
    let place = (line / size.x * params.out_height + at.x) * params.out_width + at.y;
    return select(NOWHERE, place, pixel < params.m && at.x < params.out_height && at.y < params.out_width);
  }
  return select(NOWHERE, pixel, pixel < params.m);
}

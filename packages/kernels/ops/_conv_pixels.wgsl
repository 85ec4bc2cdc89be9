// The pixels that a convolution, or the gradient of its data, multiplies with a weight.
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
// Of the four pixels of this thread: picture, and where tap (0, 0) of the result lies in it, before padding.
var<private> pictures: vec4i;
var<private> corners_y: vec4i;
var<private> corners_x: vec4i;
// Of the tap that was entered: where channel 0 of these pixels is, or -1 outside the picture; where its weights begin.
var<private> pixels: vec4i;
var<private> weights: u32;

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

fn place_pixels(chosen: vec4u) {
  let size = lattice();
  let valid = min(chosen, vec4u(params.m - 1u));
  let lines = valid / size.y;
  let step = select(i32(params.stride), 1, ADJOINT);
  pictures = vec4i(lines / size.x);
  corners_y = vec4i(lines % size.x) * step;
  corners_x = vec4i(valid % size.y) * step;
}

fn segments(z: u32) -> vec2u {
  return vec2u(0u, params.kernel_height * params.kernel_width);
}

fn enter(tap: u32, z: u32) -> u32 {
  let at = vec2i(vec2u(tap / params.kernel_width, tap % params.kernel_width));
  var offset = at - vec2i(vec2u(params.pad_top, params.pad_left));
  if (ADJOINT) {
    offset = -offset;
  }
  if (PHASED) {
    offset += vec2i(phase_of(z));
    let strided = offset / i32(params.stride);
    if (any(strided * i32(params.stride) != offset)) {
      return 0u;
    }
    offset = strided;
  }
  let y = corners_y + offset.x;
  let x = corners_x + offset.y;
  let size = vec2i(vec2u(params.height, params.width));
  let inside = (y >= vec4i()) & (y < vec4i(size.x)) & (x >= vec4i()) & (x < vec4i(size.y));
  pixels = select(vec4i(-1), ((pictures * size.x + y) * size.y + x) * i32(params.c_in), inside);
  weights = tap * params.c_in * params.n;
  return params.c_in;
}

fn read_pixel(at: i32, channel: u32) -> vec4f {
  return select(vec4f(), read_a(u32(max(at, 0)) + channel, params.c_in - channel), at >= 0);
}

// Four channels of the four pixels.
fn block_of_pixels(channel: u32) -> mat4x4f {
  return mat4x4f(
    read_pixel(pixels.x, channel),
    read_pixel(pixels.y, channel),
    read_pixel(pixels.z, channel),
    read_pixel(pixels.w, channel),
  );
}

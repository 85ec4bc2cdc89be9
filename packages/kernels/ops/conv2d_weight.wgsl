// dw[tap, i, o] = sum over pixels of x[b, p stride + tap - pad, i] dy[b, p, o], the gradient of the weight of a convolution.
//
// A product: rows are (tap, input channel), the channels of each tap rounded up to a multiple of four; columns are output
// channels; a line of y is a segment of K, its pixels are the steps. Chunks of lines are batches, which write a sum each:
// [chunks, taps, i, o].
//
// The operands: how the product is computed is in _product_lanes.wgsl and _product_shared.wgsl.

struct Params {
  n: u32,
  c_in: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  kernel_height: u32,
  kernel_width: u32,
  stride: u32,
  pad_top: u32,
  pad_left: u32,
  // Of y in all pictures, and those of one chunk.
  lines: u32,
  chunk: u32,
  alpha: f32,
  has_bias: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

var<private> chunk: u32;
// Tap of this thread, relative to the padding, and the first of its four neighbouring channels.
var<private> tap: vec2i;
var<private> first_channel: u32;
// The line that was entered: where it begins in dy, and where the line of x under it begins, or -1 outside the picture.
var<private> y_line: u32;
var<private> x_line: i32;

fn taps() -> u32 {
  return params.kernel_height * params.kernel_width;
}

fn rows_of_tap() -> u32 {
  return (params.c_in + 3u) / 4u * 4u;
}

fn extent() -> vec2u {
  return vec2u(taps() * rows_of_tap(), params.n);
}

fn open(z: u32) {
  chunk = z;
}

fn output_row(row: u32) -> u32 {
  let channel = row % rows_of_tap();
  let place = (chunk * taps() + row / rows_of_tap()) * params.c_in + channel;
  return select(NOWHERE, place, row < extent().x && channel < params.c_in);
}

fn segments(z: u32) -> vec2u {
  return vec2u(z * params.chunk, min((z + 1u) * params.chunk, params.lines));
}

fn place_rows(rows: vec4u) {
  let row = min(rows.x, extent().x - 1u);
  let index = row / rows_of_tap();
  tap = vec2i(vec2u(index / params.kernel_width, index % params.kernel_width)) -
    vec2i(vec2u(params.pad_top, params.pad_left));
  first_channel = row % rows_of_tap() / 4u * 4u;
}

fn enter(line: u32, z: u32) -> u32 {
  let y = i32(line % params.out_height * params.stride) + tap.x;
  let under = (i32(line / params.out_height * params.height) + y) * i32(params.width * params.c_in);
  x_line = select(-1, under, y >= 0 && y < i32(params.height));
  y_line = line * params.out_width * params.n;
  return params.out_width;
}

// Pixels of x under four of y, and which of them are in the picture.
fn under(pixel: u32) -> vec4i {
  return vec4i((vec4u(pixel) + vec4u(0u, 1u, 2u, 3u)) * params.stride) + tap.y;
}

fn there(pixel: u32) -> vec4<bool> {
  let x = under(pixel);
  let count = vec4u(pixel) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.out_width);
  return count & (x >= vec4i()) & (x < vec4i(i32(params.width))) & vec4<bool>(x_line >= 0);
}

// Four channels of each.
fn read_rows(pixel: u32) -> mat4x4f {
  let x = clamp(under(pixel), vec4i(), vec4i(i32(params.width) - 1));
  let at = vec4u(max(x_line, 0) + x * i32(params.c_in)) + first_channel;
  let left = params.c_in - first_channel;
  return mat4x4f(read_a(at.x, left), read_a(at.y, left), read_a(at.z, left), read_a(at.w, left));
}

fn hold_b(pixel: u32) -> Held {
  return hold_block_of_b(y_line, pixel, params.out_width);
}

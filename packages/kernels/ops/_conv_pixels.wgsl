// The pixels that a convolution, or the gradient of its data, multiplies with a weight: four for each thread.

// Of the four pixels of this thread: picture, and where tap (0, 0) of the result lies in it, before padding.
var<private> pictures: vec4i;
var<private> corners_y: vec4i;
var<private> corners_x: vec4i;
// Of the tap that was entered: where channel 0 of these pixels is, or -1 outside the picture; where its weights begin.
var<private> pixels: vec4i;
var<private> weights: u32;

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

// Four channels of the four pixels; of those outside the picture, of some other.
fn read_pixels(channel: u32) -> mat4x4f {
  let at = vec4u(max(pixels, vec4i())) + channel;
  let left = params.c_in - channel;
  return mat4x4f(read_a(at.x, left), read_a(at.y, left), read_a(at.z, left), read_a(at.w, left));
}

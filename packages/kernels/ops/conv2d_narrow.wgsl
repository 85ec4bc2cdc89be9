// Convolution to at most 16 channels, and the gradient of data that has so few, as a product with its sides exchanged: rows
// are output channels, columns are pixels, so that no lane idles on channels that are not there. Weights are [taps, n, c_in].
//
// The operands: how the product is computed is in _product_lanes.wgsl and _product_few.wgsl.
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> addend: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

// Where the weights of this thread's output channels begin, of a tap.
var<private> weight_rows: vec4u;

fn extent() -> vec2u {
  return vec2u(params.n, params.m);
}

fn place_rows(rows: vec4u) {
  weight_rows = min(rows, vec4u(params.n - 1u)) * params.c_in;
}

fn place_columns(column: u32) {
  place_pixels(vec4u(column) + vec4u(0u, 1u, 2u, 3u));
}

// Four input channels of the weights of four output channels.
fn load_a(channel: u32) -> mat4x4f {
  let at = weight_rows + weights + channel;
  let left = params.c_in - channel;
  return mat4x4f(read_b(at.x, left), read_b(at.y, left), read_b(at.z, left), read_b(at.w, left));
}

fn load_b(channel: u32) -> mat4x4f {
  let block = read_pixels(channel);
  return transpose(mat4x4f(
    select(vec4f(), block[0], pixels.x >= 0),
    select(vec4f(), block[1], pixels.y >= 0),
    select(vec4f(), block[2], pixels.z >= 0),
    select(vec4f(), block[3], pixels.w >= 0),
  ));
}

fn store(channel: u32, pixel: u32, value: f32) {
  let place = output_pixel(pixel);
  if (place != NOWHERE) {
    let at = place * params.n + channel;
    var y = params.alpha * value;
    if (params.has_bias != 0u) {
      y += bias[channel];
    }
    if (HAS_ADDEND) {
      y += addend[at];
    }
    c[at] = activate(vec4f(y)).x;
  }
}

fn store_four(channel: u32, pixel: u32, value: vec4f) {
  if (channel < params.n) {
    store(channel, pixel, value.x);
    store(channel, pixel + 1u, value.y);
    store(channel, pixel + 2u, value.z);
    store(channel, pixel + 3u, value.w);
  }
}

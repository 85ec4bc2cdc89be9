// Convolution, and the gradient of its data, as a product: rows are pixels, columns are output channels.
//
// The operands: how the product is computed is in _product_lanes.wgsl and _product_shared.wgsl.

fn extent() -> vec2u {
  return vec2u(params.m, params.n);
}

fn output_row(row: u32) -> u32 {
  return output_pixel(row);
}

fn place_rows(rows: vec4u) {
  place_pixels(rows);
}

fn load_a(channel: u32) -> mat4x4f {
  return block_of_pixels(channel);
}

fn load_b(channel: u32) -> mat4x4f {
  return block_of_b(weights, channel, params.c_in);
}

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

fn read_rows(channel: u32) -> mat4x4f {
  return read_pixels(channel);
}

fn there(channel: u32) -> vec4<bool> {
  return pixels >= vec4i();
}

fn hold_b(channel: u32) -> Held {
  return hold_block_of_b(weights, channel, params.c_in);
}

// Reads four consecutive channels of a pixel; the channels are a multiple of four.
@group(0) @binding(0) var<storage, read> x: array<vec4f>;

fn read_x(at: u32, channel: u32) -> vec4f {
  return x[(at + channel) / 4u];
}

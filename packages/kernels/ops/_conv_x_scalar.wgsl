// Reads four consecutive channels of a pixel with any number of channels; beyond the last they are zero.
@group(0) @binding(0) var<storage, read> x: array<f32>;

fn read_x(at: u32, channel: u32) -> vec4f {
  return vec4f(
    x[at + channel],
    select(0.0, x[at + channel + 1u], channel + 1u < params.c_in),
    select(0.0, x[at + channel + 2u], channel + 2u < params.c_in),
    select(0.0, x[at + channel + 3u], channel + 3u < params.c_in),
  );
}

// y = weight (x - mean) / sqrt(variance + eps) + bias, then SiLU if wanted; the statistics are those of the channel's group.
//
// `coefficients` spreads mean and weight / sqrt(variance + eps) from groups to channels, [B, 2, C]; `apply` subtracts
// the mean first, since x weight' - mean weight' would cancel where |mean| >> deviation. A thread of `apply` has one
// channel (or four) of a strip of pixels, so that it reads the coefficients once: 1 read, 1 write.

@group(0) @binding(0) var<storage, read> stats: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> spread: array<f32>;
// apply
@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> factors: array<Elem>;
@group(0) @binding(2) var<storage, read> bias: array<Elem>;
@group(0) @binding(3) var<storage, read_write> y: array<Elem>;

struct Params {
  batches: u32,
  pixels: u32,
  // Of f32 in `coefficients`, of Elem in `apply`.
  channels: u32,
  strips: u32,
  groups: u32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override STRIP: u32 = 16u;
override SILU: bool = false;

@compute @workgroup_size(WORKGROUP)
fn coefficients(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let channel = i % params.channels;
  let batch = i / params.channels;
  if (batch >= params.batches) {
    return;
  }
  let begin = batch * 2u * params.groups + channel / (params.channels / params.groups);
  let to = batch * 2u * params.channels + channel;
  spread[to] = stats[begin];
  spread[to + params.channels] = weight[channel] / sqrt(stats[begin + params.groups] + params.eps);
}

@compute @workgroup_size(WORKGROUP)
fn apply(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let channel = i % params.channels;
  let strip = i / params.channels; // of all batches
  if (strip >= params.batches * params.strips) {
    return;
  }
  let batch = strip / params.strips;
  let mean = factors[batch * 2u * params.channels + channel];
  let factor = factors[(batch * 2u + 1u) * params.channels + channel];
  let offset = bias[channel];
  let first = strip % params.strips * STRIP;
  let last = min(first + STRIP, params.pixels);
  for (var pixel = first; pixel < last; pixel++) {
    let at = (batch * params.pixels + pixel) * params.channels + channel;
    var value = (x[at] - mean) * factor + offset;
    if (SILU) {
      // silu() of _activation.wgsl, on all lanes.
      value = value / (1.0 + exp(-clamp(value, Elem(-80.0), Elem(80.0))));
    }
    y[at] = value;
  }
}

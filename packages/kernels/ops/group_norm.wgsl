// y = weight xhat + bias with xhat = (x - mean) / deviation and deviation = sqrt(variance + eps), then SiLU if wanted; the
// statistics are those of the channel's group.
//
// `coefficients` spreads mean and weight / deviation from groups to channels, [B, 2, C]; `apply` subtracts the mean
// first, since x weight' - mean weight' would cancel where |mean| >> deviation. A thread of `apply` has one channel (or
// four) of a strip of pixels, so that it reads the coefficients once: 1 read, 1 write. A strip's pixels are far apart, so
// that neighbouring threads read along a few lines through memory.
//
// Gradient, with g that of weight xhat + bias: dbias = sum(g) and dweight = sum(g xhat) over pixels and batches, and
// dx = (weight g - mean(weight g) - xhat mean(weight g xhat)) / deviation with means over the group, as both statistics
// depend on x (Ba et al. 2016, "Layer Normalization", section 5, for groups).
// `backward_sums` sums g and g (x - mean) over strips of pixels; `backward_lines`, a thread a channel, makes the sums over
// all strips into those of its group and these into dx = weight g / deviation + offset + slope (x - mean), which
// `backward_x` computes. Memory: x and dy are read twice, dx is written once; partials are 2 in 16 of x.

@group(0) @binding(0) var<storage, read> stats: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> spread: array<f32>;
// apply
@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> factors: array<Elem>;
@group(0) @binding(2) var<storage, read> bias: array<Elem>;
@group(0) @binding(3) var<storage, read_write> y: array<Elem>;
// backward_sums and backward_x: besides those of apply
@group(0) @binding(3) var<storage, read> dy: array<Elem>;
// [strips, B, 2, C]
@group(0) @binding(4) var<storage, read_write> partials: array<Elem>;
@group(0) @binding(4) var<storage, read> line: array<Elem>;
@group(0) @binding(5) var<storage, read_write> dx: array<Elem>;
// backward_lines: besides stats and weight
@group(0) @binding(2) var<storage, read> totals: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> lines: array<f32>;

struct Params {
  batches: u32,
  pixels: u32,
  // Of Elem where arrays are.
  channels: u32,
  strips: u32,
  groups: u32,
  eps: f32,
  // The part that each value of x has in the statistics of its group: one in their number, or 0 if they are given.
  share: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
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

// One channel (or four) of the pixels that are `strip` modulo `strips`: elements begin, begin + step, ... below end.
struct Strip {
  channel: u32,
  begin: u32,
  end: u32,
  step: u32,
  // Of the channel's first coefficient in [B, 2, C].
  coefficient: u32,
}

fn strip_of(i: u32) -> Strip {
  let channel = i % params.channels;
  let strip = i / params.channels % params.strips;
  let batch = i / params.channels / params.strips;
  return Strip(
    channel,
    (batch * params.pixels + strip) * params.channels + channel,
    (batch + 1u) * params.pixels * params.channels,
    params.strips * params.channels,
    batch * 2u * params.channels + channel,
  );
}

// exp() stays finite, as in _activation.wgsl.
fn sigmoid(value: Elem) -> Elem {
  return 1.0 / (1.0 + exp(-clamp(value, Elem(-80.0), Elem(80.0))));
}

// The gradient of `value` = weight xhat + bias: silu' = s + value s (1 - s) with s = sigmoid(value).
fn before_silu(gradient: Elem, value: Elem) -> Elem {
  if (!SILU) {
    return gradient;
  }
  let s = sigmoid(value);
  return gradient * (s + value * s * (1.0 - s));
}

@compute @workgroup_size(WORKGROUP)
fn apply(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.batches * params.strips * params.channels) {
    return;
  }
  let strip = strip_of(i);
  let mean = factors[strip.coefficient];
  let factor = factors[strip.coefficient + params.channels];
  let offset = bias[strip.channel];
  for (var at = strip.begin; at < strip.end; at += strip.step) {
    var value = (x[at] - mean) * factor + offset;
    if (SILU) {
      value *= sigmoid(value);
    }
    y[at] = value;
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward_sums(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.batches * params.strips * params.channels) {
    return;
  }
  let strip = strip_of(i);
  let mean = factors[strip.coefficient];
  let factor = factors[strip.coefficient + params.channels];
  let offset = bias[strip.channel];
  var sum = Elem();
  var product = Elem();
  for (var at = strip.begin; at < strip.end; at += strip.step) {
    let centred = x[at] - mean;
    let g = before_silu(dy[at], centred * factor + offset);
    sum += g;
    product += g * centred;
  }
  let row = i / params.channels;
  let part = row % params.strips * params.batches + row / params.strips;
  let to = 2u * part * params.channels + strip.channel;
  partials[to] = sum;
  partials[to + params.channels] = product;
}

@compute @workgroup_size(WORKGROUP)
fn backward_lines(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let channel = i % params.channels;
  let batch = i / params.channels;
  if (batch >= params.batches) {
    return;
  }
  let width = params.channels / params.groups;
  let group = channel / width;
  let rstd = inverseSqrt(stats[(batch * 2u + 1u) * params.groups + group] + params.eps);
  let base = batch * 2u * params.channels;
  // Over the group: weight g and weight g (x - mean).
  var sum = 0.0;
  var product = 0.0;
  for (var each = group * width; each < (group + 1u) * width; each++) {
    sum += weight[each] * totals[base + each];
    product += weight[each] * totals[base + params.channels + each];
  }
  let first = base + channel;
  let second = first + params.channels;
  sums[first] = totals[first];
  sums[second] = rstd * totals[second];
  lines[first] = -params.share * rstd * sum;
  lines[second] = -params.share * rstd * rstd * rstd * product;
}

@compute @workgroup_size(WORKGROUP)
fn backward_x(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.batches * params.strips * params.channels) {
    return;
  }
  let strip = strip_of(i);
  let mean = factors[strip.coefficient];
  let factor = factors[strip.coefficient + params.channels];
  let offset = bias[strip.channel];
  let line_offset = line[strip.coefficient];
  let line_slope = line[strip.coefficient + params.channels];
  for (var at = strip.begin; at < strip.end; at += strip.step) {
    let centred = x[at] - mean;
    let g = before_silu(dy[at], centred * factor + offset);
    dx[at] = g * factor + line_offset + centred * line_slope;
  }
}

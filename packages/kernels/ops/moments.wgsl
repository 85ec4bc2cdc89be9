// Mean and variance over all pixels of the channels of each group.
//
// A thread of `partial` reads one channel (or four) of a strip of pixels once, relative to the strip's first pixel x0:
// mean = x0 + S1 / n and M2 = S2 - S1^2 / n, where S1 and S2 sum x - x0 and its square. That is as robust as two passes:
// x0 is one of the summands, so n (mean - x0)^2 <= n M2, and at most log2(n + 1) bits cancel, wherever the mean is.
// `merge` joins the strips and channels of a group, one workgroup a group, by Chan's formula for many parts:
// mean = sum n_i mean_i / n and M2 = sum M2_i + n_i (mean_i - mean)^2, again relative to the first of them.
// Memory: x is read once; partials are [B, strips, 2, C], 2 / STRIP of x.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> partials: array<Elem>;
// merge
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> moments: array<f32>;

struct Params {
  batches: u32,
  pixels: u32,
  // Of Elem in `partial`, of f32 in `merge`.
  channels: u32,
  strips: u32,
  groups: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override STRIP: u32 = 64u;
// Write the unbiased standard deviation instead of the biased variance.
override DEVIATION: bool = false;

@compute @workgroup_size(WORKGROUP)
fn partial(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let channel = i % params.channels;
  let strip = i / params.channels; // of all batches
  if (strip >= params.batches * params.strips) {
    return;
  }
  let first = strip % params.strips * STRIP;
  let count = min(STRIP, params.pixels - first);
  var at = (strip / params.strips * params.pixels + first) * params.channels + channel;
  let origin = x[at];
  var sum = Elem();
  var squares = Elem();
  for (var pixel = 1u; pixel < count; pixel++) {
    at += params.channels;
    let offset = x[at] - origin;
    sum += offset;
    squares += offset * offset;
  }
  let mean = sum / f32(count);
  let to = strip * 2u * params.channels + channel;
  partials[to] = origin + mean;
  partials[to + params.channels] = max(squares - sum * mean, Elem());
}

@compute @workgroup_size(WORKGROUP)
fn merge(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = id.x + id.y * groups.x;
  let batch = index / params.groups;
  let group = index % params.groups;
  if (batch >= params.batches) {
    return;
  }
  let width = params.channels / params.groups;
  let base = batch * params.strips * 2u * params.channels + group * width;
  let count = params.strips * width;
  let total = f32(params.pixels) * f32(width);
  let origin = parts[base];

  var sum = 0.0;
  for (var i = thread; i < count; i += WORKGROUP) {
    let strip = i / width;
    let weight = f32(min(STRIP, params.pixels - strip * STRIP));
    sum += weight * (parts[base + strip * 2u * params.channels + i % width] - origin);
  }
  let shift = workgroup_sum(sum, thread) / total;

  var squares = 0.0;
  for (var i = thread; i < count; i += WORKGROUP) {
    let strip = i / width;
    let weight = f32(min(STRIP, params.pixels - strip * STRIP));
    let at = base + strip * 2u * params.channels + i % width;
    let offset = parts[at] - origin - shift;
    squares += parts[at + params.channels] + weight * offset * offset;
  }
  squares = workgroup_sum(squares, thread);

  if (thread == 0u) {
    let to = batch * 2u * params.groups + group;
    moments[to] = origin + shift;
    if (DEVIATION) {
      moments[to + params.groups] = sqrt(squares / max(total - 1.0, 1.0));
    } else {
      moments[to + params.groups] = squares / total;
    }
  }
}

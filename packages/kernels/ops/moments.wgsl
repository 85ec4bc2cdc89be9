// Mean and variance over all pixels of the channels of each group.
//
// `partial` makes `rows` rows of partial results of each batch: row r is of the pixels that are r modulo `rows`. Its
// threads read one channel (or four) of these once, relative to the first of them, x0: mean = x0 + S1 / n and
// M2 = S2 - S1^2 / n, where S1 and S2 sum x - x0 and its square. That is as robust as two passes: x0 is one of the
// summands, so n (mean - x0)^2 <= n M2, and at most log2(n + 1) bits cancel, wherever the mean is.
// `join` makes fewer rows of more: row r of the rows that are r modulo `rows`, by Chan's formula for many parts,
// mean = sum n_i mean_i / n and M2 = sum M2_i + n_i (mean_i - mean)^2, likewise relative to the first of them; `rows`
// divides the number of rows that there were. `finish` joins the channels of a group, one thread a group.
//
// Neighbouring threads have neighbouring channels, then neighbouring rows: together they read along a few lines through
// memory, as many as a thread adds up. Memory: x is read once; the first partials are an eighth to a quarter of x.

// join: the rows of partial results that there are, [B, from_rows, 2, C].
@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> partials: array<Elem>;
// finish: means and M2 of all pixels, [B, 2, C].
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> moments: array<f32>;

struct Params {
  batches: u32,
  pixels: u32,
  // Of Elem, but of f32 in `finish`.
  channels: u32,
  from_rows: u32,
  rows: u32,
  groups: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
// Write the unbiased standard deviation instead of the biased variance.
override DEVIATION: bool = false;

// How many pixels are `row` modulo `rows`.
fn pixels_of(row: u32, rows: u32) -> f32 {
  return f32((params.pixels - row + rows - 1u) / rows);
}

@compute @workgroup_size(WORKGROUP)
fn partial(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let channel = i % params.channels;
  let row = i / params.channels % params.rows;
  let batch = i / params.channels / params.rows;
  if (batch >= params.batches) {
    return;
  }
  let begin = (batch * params.pixels + row) * params.channels + channel;
  let end = (batch + 1u) * params.pixels * params.channels;
  let origin = x[begin];
  var sum = Elem();
  var squares = Elem();
  for (var at = begin + params.rows * params.channels; at < end; at += params.rows * params.channels) {
    let offset = x[at] - origin;
    sum += offset;
    squares += offset * offset;
  }
  let mean = sum / pixels_of(row, params.rows);
  let to = (i / params.channels * 2u) * params.channels + channel;
  partials[to] = origin + mean;
  partials[to + params.channels] = max(squares - sum * mean, Elem());
}

@compute @workgroup_size(WORKGROUP)
fn join(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let channel = i % params.channels;
  let first = i / params.channels % params.rows;
  let batch = i / params.channels / params.rows;
  if (batch >= params.batches) {
    return;
  }
  let start = batch * params.from_rows * 2u * params.channels + channel;
  let origin = x[start + first * 2u * params.channels];
  var sum = Elem();
  var squares = Elem();
  for (var row = first; row < params.from_rows; row += params.rows) {
    let at = start + row * 2u * params.channels;
    let count = pixels_of(row, params.from_rows);
    let offset = x[at] - origin;
    sum += count * offset;
    squares += x[at + params.channels] + count * offset * offset;
  }
  let mean = sum / pixels_of(first, params.rows);
  let to = (i / params.channels * 2u) * params.channels + channel;
  partials[to] = origin + mean;
  partials[to + params.channels] = max(squares - sum * mean, Elem());
}

@compute @workgroup_size(WORKGROUP)
fn finish(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let group = i % params.groups;
  let batch = i / params.groups;
  if (batch >= params.batches) {
    return;
  }
  let width = params.channels / params.groups;
  let begin = batch * 2u * params.channels + group * width;
  let origin = parts[begin];
  var shift = 0.0;
  for (var at = begin; at < begin + width; at++) {
    shift += (parts[at] - origin) / f32(width);
  }
  var squares = 0.0;
  for (var at = begin; at < begin + width; at++) {
    let offset = parts[at] - origin - shift;
    squares += parts[at + params.channels] + f32(params.pixels) * offset * offset;
  }
  let total = f32(params.pixels) * f32(width);
  let to = batch * 2u * params.groups + group;
  moments[to] = origin + shift;
  if (DEVIATION) {
    moments[to + params.groups] = sqrt(squares / max(total - 1.0, 1.0));
  } else {
    moments[to + params.groups] = squares / total;
  }
}

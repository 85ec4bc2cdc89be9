// y = (1 + scale) n + shift, n = (x - mean) / sqrt(variance + eps), with mean and biased variance of each row of x.
// Gradients, with g = (1 + scale) dy and means over the row: dx = (g - mean(g) - n mean(g n)) / sqrt(variance + eps);
// dshift = sum of dy and dscale = sum of dy n over the rows of a batch.
//
// `forward`: one workgroup a row, 3 reads of x, of which two from the cache, 1 write. `backward`: one workgroup a strip
// of rows, one after the other; n is computed again, so that x and dy come from memory once. The sums over a strip stay
// in the cache, where a thread always adds to the same channels; parts have 2 / strip of the size of x.
// The variance is the mean of squared deviations; E[x^2] - E[x]^2 would cancel where |mean| >> deviation.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> shift: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
// [strips, 2, B, D]: of dshift, then of dscale.
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;

struct Params {
  batches: u32,
  length: u32,
  width: u32,
  // Rows.
  strip: u32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override MODULATED: bool = false;
// Which gradients are wanted.
override WITH_X: bool = true;
override WITH_MODULATION: bool = false;

struct Moments {
  mean: f32,
  // 1 / sqrt(variance + eps)
  rstd: f32,
}

// Those of the row at `base`. All threads of the workgroup get them.
fn moments(base: u32, thread: u32) -> Moments {
  let width = f32(params.width);
  var sum = 0.0;
  for (var i = thread; i < params.width; i += WORKGROUP) {
    sum += x[base + i];
  }
  let mean = workgroup_sum(sum, thread) / width;

  var squares = 0.0;
  for (var i = thread; i < params.width; i += WORKGROUP) {
    let deviation = x[base + i] - mean;
    squares += deviation * deviation;
  }
  return Moments(mean, 1.0 / sqrt(workgroup_sum(squares, thread) / width + params.eps));
}

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= params.batches * params.length) {
    return;
  }
  let base = row * params.width;
  let m = moments(base, thread);
  let modulation = row / params.length * params.width;
  for (var i = thread; i < params.width; i += WORKGROUP) {
    var value = (x[base + i] - m.mean) * m.rstd;
    if (MODULATED) {
      value = (1.0 + scale[modulation + i]) * value + shift[modulation + i];
    }
    y[base + i] = value;
  }
}

// g of element i of a row.
fn through_scale(base: u32, modulation: u32, i: u32) -> f32 {
  if (MODULATED) {
    return (1.0 + scale[modulation + i]) * dy[base + i];
  }
  return dy[base + i];
}

@compute @workgroup_size(WORKGROUP)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let strips = (params.length + params.strip - 1u) / params.strip; // of a batch
  let index = group.x + group.y * groups.x;
  let batch = index / strips;
  if (batch >= params.batches) {
    return;
  }
  let first = index % strips * params.strip;
  let modulation = batch * params.width;
  let shift_part = index % strips * 2u * params.batches * params.width + modulation;
  let scale_part = shift_part + params.batches * params.width;

  for (var token = first; token < min(first + params.strip, params.length); token++) {
    let base = (batch * params.length + token) * params.width;
    let m = moments(base, thread);
    var sum = 0.0;
    var products = 0.0;
    for (var i = thread; i < params.width; i += WORKGROUP) {
      let n = (x[base + i] - m.mean) * m.rstd;
      let g = through_scale(base, modulation, i);
      sum += g;
      products += g * n;
      if (WITH_MODULATION) {
        let part = vec2f(dy[base + i], dy[base + i] * n);
        let before = vec2f(parts[shift_part + i], parts[scale_part + i]);
        let total = select(before + part, part, token == first);
        parts[shift_part + i] = total.x;
        parts[scale_part + i] = total.y;
      }
    }
    if (WITH_X) {
      let mean = workgroup_sum(sum, thread) / f32(params.width);
      let along = workgroup_sum(products, thread) / f32(params.width);
      for (var i = thread; i < params.width; i += WORKGROUP) {
        let n = (x[base + i] - m.mean) * m.rstd;
        dx[base + i] = m.rstd * (through_scale(base, modulation, i) - mean - n * along);
      }
    }
  }
}

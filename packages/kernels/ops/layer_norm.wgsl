// y = (1 + scale) (x - mean) / sqrt(variance + eps) + shift, with mean and biased variance of each row of x.
//
// One workgroup a row: 3 reads of x, of which two from the cache, 1 write. The variance is the mean of squared
// deviations; E[x^2] - E[x]^2 would cancel where |mean| >> deviation.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> shift: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

struct Params {
  rows: u32,
  rows_per_batch: u32,
  width: u32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override AFFINE: bool = false;

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= params.rows) {
    return;
  }
  let base = row * params.width;
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
  let rstd = 1.0 / sqrt(workgroup_sum(squares, thread) / width + params.eps);

  let modulation = row / params.rows_per_batch * params.width;
  for (var i = thread; i < params.width; i += WORKGROUP) {
    var value = (x[base + i] - mean) * rstd;
    if (AFFINE) {
      value = (1.0 + scale[modulation + i]) * value + shift[modulation + i];
    }
    y[base + i] = value;
  }
}

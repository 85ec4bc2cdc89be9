// Dilated binomial blur along one axis: y = (x before + 2 x + x after) / 4, taps `dilation` apart, edges replicated. Along
// both axes it is the step of the "a trous" wavelet transform, [1 2 1] x [1 2 1] / 16.
// One thread a sample (or four neighbours off the axis): 3 reads, 1 write.
//
// Gradient: a sample gets back twice its own gradient and those `dilation` before and after it; the first and the last
// also those of the taps that the edge stood in for, of the `dilation` samples next to it. One thread a sample: 3 reads
// (on the edges dilation + 2), 1 write.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
// backward
@group(0) @binding(0) var<storage, read> dy: array<Elem>;
@group(0) @binding(1) var<storage, read_write> dx: array<Elem>;

struct Params {
  count: u32,
  // Samples along the axis.
  length: u32,
  // Elem in one step along the axis.
  inner: u32,
  dilation: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let position = i / params.inner % params.length;
  let before = min(position, params.dilation) * params.inner;
  let after = min(params.length - 1u - position, params.dilation) * params.inner;
  y[i] = (x[i - before] + 2.0 * x[i] + x[i + after]) / 4.0;
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let position = i / params.inner % params.length;
  let last = params.length - 1u;
  let step = params.dilation * params.inner;

  var sum = 2.0 * dy[i];
  if (position >= params.dilation) {
    sum += dy[i - step];
  }
  if (position + params.dilation <= last) {
    sum += dy[i + step];
  }
  let near = min(params.dilation, params.length);
  if (position == 0u) {
    for (var k = 0u; k < near; k++) {
      sum += dy[i + k * params.inner];
    }
  }
  if (position == last) {
    for (var k = 0u; k < near; k++) {
      sum += dy[i - k * params.inner];
    }
  }
  dx[i] = sum / 4.0;
}

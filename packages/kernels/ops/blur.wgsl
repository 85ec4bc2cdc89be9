// Dilated binomial blur of every channel: y = ([1 2 1] x [1 2 1]) / 16 * x, taps `dilation` apart, edges replicated.
// (The step of the "a trous" wavelet transform.) One thread a channel (or four) of a pixel: 9 reads, 1 write.
//
// Gradient: the transpose, one axis after the other. Along an axis a sample gets back twice its own gradient and those
// `dilation` before and after it; the first and the last also those of the taps that the edge stood in for, of the
// `dilation` samples next to it. One thread a sample: 3 reads (on the edges dilation + 2), 1 write.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
// backward
@group(0) @binding(0) var<storage, read> dy: array<Elem>;
@group(0) @binding(1) var<storage, read_write> dx: array<Elem>;

struct Params {
  count: u32,
  height: u32,
  // In `backward`: the samples along the axis, and the interleaved lines.
  width: u32,
  channels: u32,
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
  let channel = i % params.channels;
  let pixel = i / params.channels;
  let column = pixel % params.width;
  let row = pixel / params.width % params.height;
  let start = pixel / params.width - row; // rows of the batches before

  let left = select(column - params.dilation, 0u, column < params.dilation) * params.channels + channel;
  let middle = column * params.channels + channel;
  let right = min(column + params.dilation, params.width - 1u) * params.channels + channel;
  let stride = params.width * params.channels;
  let above = (start + select(row - params.dilation, 0u, row < params.dilation)) * stride;
  let here = (start + row) * stride;
  let below = (start + min(row + params.dilation, params.height - 1u)) * stride;

  let corners = x[above + left] + x[above + right] + x[below + left] + x[below + right];
  let sides = x[above + middle] + x[here + left] + x[here + right] + x[below + middle];
  y[i] = (corners + 2.0 * sides + 4.0 * x[here + middle]) / 16.0;
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let position = i / params.channels % params.width;
  let last = params.width - 1u;
  let step = params.dilation * params.channels;

  var sum = 2.0 * dy[i];
  if (position >= params.dilation) {
    sum += dy[i - step];
  }
  if (position + params.dilation <= last) {
    sum += dy[i + step];
  }
  let near = min(params.dilation, params.width);
  if (position == 0u) {
    for (var k = 0u; k < near; k++) {
      sum += dy[i + k * params.channels];
    }
  }
  if (position == last) {
    for (var k = 0u; k < near; k++) {
      sum += dy[i - k * params.channels];
    }
  }
  dx[i] = sum / 4.0;
}

// 2x2 max pooling with stride 2 of every channel: y[b, i, j, c] = max of x[b, 2i..2i + 1, 2j..2j + 1, c]. An odd last row
// or column is left out. The gradient goes to the first largest of a window, row by row, as in PyTorch.
//
// One thread a channel of y: 4 reads and 1 write; backward: one a channel of x, which looks for the largest again
// instead of reading where it was: 5 reads, most of them from the cache, and 1 write.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

struct Params {
  // Of x.
  batches: u32,
  height: u32,
  width: u32,
  channels: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// The four values of x under pixel (row, column) of y, row by row.
fn window(batch: u32, row: u32, column: u32, channel: u32) -> vec4f {
  let stride = params.width * params.channels;
  let at = (batch * params.height + 2u * row) * stride + 2u * column * params.channels + channel;
  return vec4f(x[at], x[at + params.channels], x[at + stride], x[at + stride + params.channels]);
}

fn largest(values: vec4f) -> f32 {
  return max(max(values.x, values.y), max(values.z, values.w));
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let size = vec2u(params.height, params.width) / 2u;
  if (i >= params.batches * size.x * size.y * params.channels) {
    return;
  }
  let pixel = i / params.channels;
  let line = pixel / size.y;
  y[i] = largest(window(line / size.x, line % size.x, pixel % size.y, i % params.channels));
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.batches * params.height * params.width * params.channels) {
    return;
  }
  let channel = i % params.channels;
  let pixel = i / params.channels;
  let line = pixel / params.width;
  let batch = line / params.height;
  let at = vec2u(line % params.height, pixel % params.width);
  let size = vec2u(params.height, params.width) / 2u;
  let under = at / 2u;
  if (any(under >= size)) {
    dx[i] = 0.0;
    return;
  }
  let values = window(batch, under.x, under.y, channel);
  let is_largest = values == vec4f(largest(values));
  let first = select(select(select(3u, 2u, is_largest.z), 1u, is_largest.y), 0u, is_largest.x);
  let gradient = dy[((batch * size.x + under.x) * size.y + under.y) * params.channels + channel];
  dx[i] = select(0.0, gradient, first == at.x % 2u * 2u + at.y % 2u);
}

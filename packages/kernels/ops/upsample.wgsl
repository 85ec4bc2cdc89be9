// Nearest-neighbour upsampling by two: y[b, i, j, c] = x[b, i / 2, j / 2, c]; backward: dx sums the four copies.
// One thread a channel (or four) of the result: 1 read and 1 write; backward: 4 reads and 1 write.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
// backward_x
@group(0) @binding(0) var<storage, read> dy: array<Elem>;
@group(0) @binding(1) var<storage, read_write> dx: array<Elem>;

struct Params {
  count: u32,
  // Of x.
  width: u32,
  channels: u32,
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
  let column = pixel % (2u * params.width) / 2u;
  // Rows of all batches are one long column: a batch has an even number of them.
  let row = pixel / (4u * params.width);
  y[i] = x[(row * params.width + column) * params.channels + channel];
}

@compute @workgroup_size(WORKGROUP)
fn backward_x(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let channel = i % params.channels;
  let pixel = i / params.channels;
  let column = pixel % params.width;
  let row = pixel / params.width;
  let stride = 2u * params.width * params.channels;
  let at = 2u * row * stride + 2u * column * params.channels + channel;
  dx[i] = dy[at] + dy[at + params.channels] + dy[at + stride] + dy[at + stride + params.channels];
}

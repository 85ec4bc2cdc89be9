// Nearest-neighbour upsampling by two: y[b, i, j, c] = x[b, i / 2, j / 2, c]; backward: dx sums the four copies.
// One thread a channel (or four) of x: 1 read and 4 writes; backward: 4 reads and 1 write.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
// backward_x
@group(0) @binding(0) var<storage, read> dy: array<Elem>;
@group(0) @binding(1) var<storage, read_write> dx: array<Elem>;

// Of x, in Elem.
struct Params {
  count: u32,
  width: u32,
  channels: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// Where the first of the four copies of element i of x is.
fn corner(i: u32) -> u32 {
  let pixel = i / params.channels;
  // Rows of all batches are one long column.
  let row = pixel / params.width;
  let column = pixel % params.width;
  return (4u * row * params.width + 2u * column) * params.channels + i % params.channels;
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let value = x[i];
  let at = corner(i);
  let below = at + 2u * params.width * params.channels;
  y[at] = value;
  y[at + params.channels] = value;
  y[below] = value;
  y[below + params.channels] = value;
}

@compute @workgroup_size(WORKGROUP)
fn backward_x(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let at = corner(i);
  let below = at + 2u * params.width * params.channels;
  dx[i] = dy[at] + dy[at + params.channels] + dy[below] + dy[below + params.channels];
}

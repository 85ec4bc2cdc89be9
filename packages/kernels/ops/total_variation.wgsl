// The total variation at every pixel, channel by channel, Eq. 20 of https://arxiv.org/abs/2502.01993:
//   y[i, j] = |x[i + 1, j] - x[i, j]| + |x[i, j + 1] - x[i, j]|,  the differences beyond the last row and column being 0,
// and its gradient, with s = sign and s(0) = 0:
//   dx[i, j] = s(x[i, j] - x[i - 1, j]) dy[i - 1, j] + s(x[i, j] - x[i, j - 1]) dy[i, j - 1]
//            - (s(x[i + 1, j] - x[i, j]) + s(x[i, j + 1] - x[i, j])) dy[i, j]
//
// One thread a channel of a pixel: 3 reads and 1 write; backward: 8 reads, most of them from the cache, and 1 write.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

struct Params {
  count: u32,
  height: u32,
  width: u32,
  channels: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// Row and column of element i.
fn position(i: u32) -> vec2u {
  let pixel = i / params.channels;
  return vec2u(pixel / params.width % params.height, pixel % params.width);
}

// The neighbours below and to the right less element i, which is at `at`.
fn differences(i: u32, at: vec2u) -> vec2f {
  let below = select(i, i + params.width * params.channels, at.x + 1u < params.height);
  let right = select(i, i + params.channels, at.y + 1u < params.width);
  return vec2f(x[below], x[right]) - x[i];
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let lengths = abs(differences(i, position(i)));
  y[i] = lengths.x + lengths.y;
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let at = position(i);
  // Without a neighbour the difference is that of an element with itself: its sign is 0.
  let above = select(i, i - params.width * params.channels, at.x > 0u);
  let left = select(i, i - params.channels, at.y > 0u);
  let arriving = sign(x[i] - vec2f(x[above], x[left])) * vec2f(dy[above], dy[left]);
  let leaving = sign(differences(i, at)) * dy[i];
  dx[i] = arriving.x + arriving.y - leaving.x - leaving.y;
}

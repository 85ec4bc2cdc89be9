// How far the features of two pictures are apart, at one tap of LPIPS (https://arxiv.org/abs/1801.03924, Eq. 1):
//   y_b = mean over positions p of D_bp,  D = sum_c w_c (u_c - v_c)^2,  u = f / (|f| + eps),  v = g / (|g| + eps)
// and its gradient, with h_c = 2 w_c (u_c - v_c) dy_b / positions:
//   df_c = (h_c - f_c / |f| sum_k h_k u_k) / (|f| + eps)
// Where f is 0 its direction f / |f| is taken as 0: what is left is the derivative there.
//
// `forward` and `backward` take one workgroup a position; the differences are taken channel by channel, since their
// squares nearly cancel where the pictures are alike. `average` takes one workgroup a picture. Memory: the features are
// read twice by the forward pass and three times by the gradient, but once from memory.

@group(0) @binding(0) var<storage, read> f: array<f32>;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> distances: array<f32>;
// average
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> df: array<f32>;

struct Params {
  batches: u32,
  // Of one picture.
  positions: u32,
  channels: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

const EPS = 1e-10;

// |f| and |g| at a position. All threads of the workgroup get them.
fn lengths(position: u32, thread: u32) -> vec2f {
  var squares = vec2f();
  for (var c = thread; c < params.channels; c += WORKGROUP) {
    let features = vec2f(f[position * params.channels + c], g[position * params.channels + c]);
    squares += features * features;
  }
  return sqrt(vec2f(workgroup_sum(squares.x, thread), workgroup_sum(squares.y, thread)));
}

// u_c and v_c at a position.
fn normalised(position: u32, c: u32, lengths: vec2f) -> vec2f {
  return vec2f(f[position * params.channels + c], g[position * params.channels + c]) / (lengths + EPS);
}

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let position = group.x + group.y * groups.x;
  if (position >= params.batches * params.positions) {
    return;
  }
  let lengths = lengths(position, thread);
  var sum = 0.0;
  for (var c = thread; c < params.channels; c += WORKGROUP) {
    let units = normalised(position, c, lengths);
    sum += weight[c] * (units.x - units.y) * (units.x - units.y);
  }
  let distance = workgroup_sum(sum, thread);
  if (thread == 0u) {
    distances[position] = distance;
  }
}

@compute @workgroup_size(WORKGROUP)
fn average(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < params.positions; i += WORKGROUP) {
    sum += parts[group.x * params.positions + i];
  }
  let total = workgroup_sum(sum, thread);
  if (thread == 0u) {
    y[group.x] = total / f32(params.positions);
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let position = group.x + group.y * groups.x;
  if (position >= params.batches * params.positions) {
    return;
  }
  let lengths = lengths(position, thread);
  var sum = 0.0;
  for (var c = thread; c < params.channels; c += WORKGROUP) {
    let units = normalised(position, c, lengths);
    sum += weight[c] * (units.x - units.y) * units.x;
  }
  let along = workgroup_sum(sum, thread);
  let factor = 2.0 * dy[position / params.positions] / f32(params.positions) / (lengths.x + EPS);
  for (var c = thread; c < params.channels; c += WORKGROUP) {
    let units = normalised(position, c, lengths);
    let i = position * params.channels + c;
    let direction = select(f[i] / lengths.x, 0.0, lengths.x == 0.0);
    df[i] = factor * (weight[c] * (units.x - units.y) - direction * along);
  }
}

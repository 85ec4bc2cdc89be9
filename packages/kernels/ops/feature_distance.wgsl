// How far the features of two pictures are apart, at one tap of LPIPS (https://arxiv.org/abs/1801.03924, Eq. 1):
//   y_b = mean over positions p of D_bp,  D = sum_c w_c (u_c - v_c)^2,  u = f / (|f| + eps),  v = g / (|g| + eps)
// and its gradient, with h_c = 2 w_c (u_c - v_c) dy_b / positions:
//   df_c = (h_c - f_c / |f| sum_k h_k u_k) / (|f| + eps)
// Where f is 0 its direction f / |f| is taken as 0: what is left is the derivative there.
//
// `forward` and `backward` take a team a position; the differences are taken channel by channel, since their squares
// nearly cancel where the pictures are alike. `forward` notes all sums over channels that the gradient needs. `average`
// takes one workgroup a picture. Memory: the features are read twice by the forward pass, but once from memory, and once
// by the gradient, which writes once.

@group(0) @binding(0) var<storage, read> f: array<Elem>;
@group(0) @binding(1) var<storage, read> g: array<Elem>;
@group(0) @binding(2) var<storage, read> weight: array<Elem>;
// Of each position: |f|, |g|, D and sum_c w_c (u_c - v_c) u_c.
@group(0) @binding(3) var<storage, read_write> results: array<vec4f>;
// average
@group(0) @binding(0) var<storage, read> parts: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(3) var<storage, read> sums: array<vec4f>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> df: array<Elem>;

struct Params {
  batches: u32,
  // Of one picture.
  positions: u32,
  // In Elem.
  channels: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

const EPS = 1e-10;

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = (group.x + group.y * groups.x) * (WORKGROUP / TEAM) + thread / TEAM;
  // Teams without a position help to add up all the same.
  let position = min(index, params.batches * params.positions - 1u);
  let begin = position * params.channels;
  let member = thread % TEAM;

  var f_squares = Elem();
  var g_squares = Elem();
  for (var c = member; c < params.channels; c += TEAM) {
    f_squares += f[begin + c] * f[begin + c];
    g_squares += g[begin + c] * g[begin + c];
  }
  let f_length = sqrt(team_sum(elem_sum(f_squares), thread));
  let g_length = sqrt(team_sum(elem_sum(g_squares), thread));

  var distances = Elem();
  var products = Elem();
  for (var c = member; c < params.channels; c += TEAM) {
    let u = f[begin + c] / (f_length + EPS);
    let difference = u - g[begin + c] / (g_length + EPS);
    let weighted = weight[c] * difference;
    distances += weighted * difference;
    products += weighted * u;
  }
  let distance = team_sum(elem_sum(distances), thread);
  let along = team_sum(elem_sum(products), thread);
  if (member == 0u && index == position) {
    results[position] = vec4f(f_length, g_length, distance, along);
  }
}

@compute @workgroup_size(WORKGROUP)
fn average(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < params.positions; i += WORKGROUP) {
    sum += parts[group.x * params.positions + i].z;
  }
  let total = team_sum(sum, thread);
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
  let position = (group.x + group.y * groups.x) * (WORKGROUP / TEAM) + thread / TEAM;
  if (position >= params.batches * params.positions) {
    return;
  }
  let begin = position * params.channels;
  let sum = sums[position];
  let scale = 2.0 * dy[position / params.positions] / f32(params.positions) / (sum.x + EPS);
  for (var c = thread % TEAM; c < params.channels; c += TEAM) {
    let feature = f[begin + c];
    let difference = feature / (sum.x + EPS) - g[begin + c] / (sum.y + EPS);
    let direction = select(feature / sum.x, Elem(), sum.x == 0.0);
    df[begin + c] = scale * (weight[c] * difference - direction * sum.w);
  }
}

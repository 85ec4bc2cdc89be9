// The cosine of every token with the mean token of its sample, Eq. 22 of https://arxiv.org/abs/2502.01993:
//   m_b = mean_i x_bi,  c_bi = <x_bi, m_b> / D_bi,  D_bi = |x_bi| |m_b| + eps
// and its gradient, to which each token adds by itself and as a part of m:
//   dx_bi = direct_bi + mean_j through_bj
//   direct_bi  = a (m - c |m| / |x| x),  through_bi = a (x - c |x| / |m| m),  a = dc_bi / D_bi
// A length of 0 has derivative 0. The differences are taken token by token: where tokens are alike the sums nearly cancel.
//
// Sums over tokens go in two levels: a thread of `strips` adds up one channel of a strip of tokens, `merge` the strips.
// `forward` and `weights` take one workgroup a token. Memory: x is read twice by the forward pass and three times by
// the gradient; what lies between has 1 / STRIP of its size.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> m: array<f32>;
// For each token a, a c |m| / |x| and a c |x| / |m|.
@group(0) @binding(2) var<storage, read> token_weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;
// merge
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> merged: array<f32>;
// forward
@group(0) @binding(2) var<storage, read_write> cosine: array<f32>;
// weights
@group(0) @binding(2) var<storage, read> dcosine: array<f32>;
@group(0) @binding(3) var<storage, read_write> weights_out: array<f32>;
// backward
@group(0) @binding(3) var<storage, read> through: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

struct Params {
  batches: u32,
  tokens: u32,
  width: u32,
  strips: u32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override STRIP: u32 = 64u;
// What `strips` adds up: x or `through`.
override THROUGH: bool = false;

@compute @workgroup_size(WORKGROUP)
fn strips(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let channel = i % params.width;
  let strip = i / params.width; // of all batches
  if (strip >= params.batches * params.strips) {
    return;
  }
  let batch = strip / params.strips;
  let first = strip % params.strips * STRIP;
  let end = batch * params.tokens + min(first + STRIP, params.tokens);
  var sum = 0.0;
  for (var token = batch * params.tokens + first; token < end; token++) {
    let value = x[token * params.width + channel];
    if (THROUGH) {
      sum += token_weights[3u * token] * value - token_weights[3u * token + 2u] * m[batch * params.width + channel];
    } else {
      sum += value;
    }
  }
  partials[i] = sum;
}

@compute @workgroup_size(WORKGROUP)
fn merge(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.batches * params.width) {
    return;
  }
  let first = i / params.width * params.strips * params.width + i % params.width;
  var sum = 0.0;
  for (var strip = 0u; strip < params.strips; strip++) {
    sum += parts[first + strip * params.width];
  }
  merged[i] = sum / f32(params.tokens);
}

// <x, m>, |x| and |m| of a token. All threads of the workgroup get them.
fn measure(token: u32, thread: u32) -> vec3f {
  let at = token * params.width;
  let mean_at = token / params.tokens * params.width;
  var sums = vec3f();
  for (var i = thread; i < params.width; i += WORKGROUP) {
    let value = x[at + i];
    let mean = m[mean_at + i];
    sums += vec3f(value * mean, value * value, mean * mean);
  }
  let inner = workgroup_sum(sums.x, thread);
  return vec3f(inner, sqrt(workgroup_sum(sums.y, thread)), sqrt(workgroup_sum(sums.z, thread)));
}

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let token = group.x + group.y * groups.x;
  if (token >= params.batches * params.tokens) {
    return;
  }
  let measures = measure(token, thread);
  if (thread == 0u) {
    cosine[token] = measures.x / (measures.y * measures.z + params.eps);
  }
}

@compute @workgroup_size(WORKGROUP)
fn weights(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let token = group.x + group.y * groups.x;
  if (token >= params.batches * params.tokens) {
    return;
  }
  let measures = measure(token, thread);
  if (thread == 0u) {
    let divisor = measures.y * measures.z + params.eps;
    let a = dcosine[token] / divisor;
    let projection = a * measures.x / divisor;
    weights_out[3u * token] = a;
    weights_out[3u * token + 1u] = select(projection * measures.z / measures.y, 0.0, measures.y == 0.0);
    weights_out[3u * token + 2u] = select(projection * measures.y / measures.z, 0.0, measures.z == 0.0);
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let token = i / params.width;
  if (token >= params.batches * params.tokens) {
    return;
  }
  let shared_at = token / params.tokens * params.width + i % params.width;
  let direct = token_weights[3u * token] * m[shared_at] - token_weights[3u * token + 1u] * x[i];
  dx[i] = direct + through[shared_at];
}

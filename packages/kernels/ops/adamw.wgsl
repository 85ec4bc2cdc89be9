// One step of AdamW (Loshchilov and Hutter, https://arxiv.org/abs/1711.05101), in place:
//   g = factor gradient,  m += rate_1 (g - m),  v += rate_2 (g^2 - v)
//   p = keep p - step_size m / (sqrt(v) correction + eps)
// with rate_i = 1 - beta_i, keep = 1 - lr weight_decay, step_size = lr / (1 - beta_1^k) and
// correction = 1 / sqrt(1 - beta_2^k), which the host computes: in f32, 1 - 0.999 is wrong in the fifth digit.
//
// One thread four elements, beyond the last of which is padding: 4 reads, 3 writes. Nothing is written unless the run is
// alive.

@group(0) @binding(0) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> v: array<vec4f>;
// (factor of the gradient, 1 if alive else 0)
@group(0) @binding(4) var<storage, read> control: array<f32>;

struct Params {
  // In vec4f.
  count: u32,
  rate_1: f32,
  rate_2: f32,
  keep: f32,
  step_size: f32,
  correction: f32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn step(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count || control[1] == 0.0) {
    return;
  }
  let g = control[0] * gradient[i];
  let first = m[i] + params.rate_1 * (g - m[i]);
  let second = v[i] + params.rate_2 * (g * g - v[i]);
  m[i] = first;
  v[i] = second;
  p[i] = params.keep * p[i] - params.step_size * first / (sqrt(second) * params.correction + vec4f(params.eps));
}

// Element-wise arithmetic on equal shapes: y = alpha a + beta b, y = alpha a b, y = alpha a + beta, y = exp(alpha a),
// y = clamp(a, alpha, beta), whose gradient is b where a is not limited and 0 elsewhere. The others' are made of these.
// One thread an element; groups are spread over x and y.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// The unary entry points.
@group(0) @binding(1) var<storage, read_write> out: array<f32>;

struct Params {
  count: u32,
  alpha: f32,
  beta: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn combine(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    y[i] = params.alpha * a[i] + params.beta * b[i];
  }
}

@compute @workgroup_size(WORKGROUP)
fn multiply(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    y[i] = params.alpha * a[i] * b[i];
  }
}

@compute @workgroup_size(WORKGROUP)
fn affine(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    out[i] = params.alpha * a[i] + params.beta;
  }
}

@compute @workgroup_size(WORKGROUP)
fn clamp_range(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    out[i] = clamp(a[i], params.alpha, params.beta);
  }
}

@compute @workgroup_size(WORKGROUP)
fn clamp_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    y[i] = select(0.0, b[i], a[i] >= params.alpha && a[i] <= params.beta);
  }
}

@compute @workgroup_size(WORKGROUP)
fn exponential(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    out[i] = exp(params.alpha * a[i]);
  }
}

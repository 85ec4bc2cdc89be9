// Element-wise arithmetic on equal shapes: y = alpha a + beta b, y = alpha a b, y = alpha a + beta, y = exp(alpha a),
// y = clamp(a, alpha, beta), whose gradient is b where a is not limited and 0 elsewhere, y = |a|, whose gradient is
// sign(a) b, and y = alpha. The others' gradients are made of these.
// One thread four elements, beyond the last of which is padding; groups are spread over x and y.

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
// The unary entry points.
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

// fill
@group(0) @binding(0) var<storage, read_write> filled: array<vec4f>;

struct Params {
  // In vec4f.
  count: u32,
  alpha: f32,
  beta: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 256u;

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
    out[i] = params.alpha * a[i] + vec4f(params.beta);
  }
}

@compute @workgroup_size(WORKGROUP)
fn clamp_range(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    out[i] = clamp(a[i], vec4f(params.alpha), vec4f(params.beta));
  }
}

@compute @workgroup_size(WORKGROUP)
fn clamp_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    y[i] = select(vec4f(), b[i], (a[i] >= vec4f(params.alpha)) & (a[i] <= vec4f(params.beta)));
  }
}

@compute @workgroup_size(WORKGROUP)
fn exponential(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    out[i] = exp(params.alpha * a[i]);
  }
}

@compute @workgroup_size(WORKGROUP)
fn absolute(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    out[i] = abs(a[i]);
  }
}

@compute @workgroup_size(WORKGROUP)
fn absolute_backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    y[i] = sign(a[i]) * b[i];
  }
}

@compute @workgroup_size(WORKGROUP)
fn fill(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    filled[i] = vec4f(params.alpha);
  }
}

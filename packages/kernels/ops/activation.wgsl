// y = f(x) and dx = f'(x) dy for f = ReLU, GELU or SiLU as defined in _activation.wgsl; f' is computed from x.
// One thread an element: 1 or 2 reads, 1 write; groups are spread over x and y.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

struct Params {
  count: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
// 0 ReLU, 1 GELU (tanh), 2 SiLU
override ACTIVATION: u32 = 0u;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  if (ACTIVATION == 1u) {
    y[i] = gelu(x[i]);
  } else if (ACTIVATION == 2u) {
    y[i] = silu(x[i]);
  } else {
    y[i] = relu(x[i]);
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  var slope = 0.0;
  if (ACTIVATION == 1u) {
    slope = gelu_slope(x[i]);
  } else if (ACTIVATION == 2u) {
    slope = silu_slope(x[i]);
  } else {
    slope = relu_slope(x[i]);
  }
  dx[i] = slope * dy[i];
}

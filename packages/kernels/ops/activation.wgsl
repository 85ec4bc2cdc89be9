// y = f(x) and dx = f'(x) dy for the functions of _activation.wgsl; f' is computed from x.
// One thread four elements, beyond the last of which is padding: 1 or 2 reads, 1 write; groups are spread over x and y.

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
// backward
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;

struct Params {
  // In vec4f.
  count: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 256u;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    y[i] = activate(x[i]);
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    dx[i] = activation_slope(x[i]) * dy[i];
  }
}

// y[i] = the sum of x over the subgroup of thread i; needs the feature subgroups.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  y[id.x] = subgroupAdd(x[id.x]);
}

// out = x + gate y, with one gate row per batch: out[b, l, d] = x[b, l, d] + gate[b, d] y[b, l, d].
// One thread an element: 2 reads (and the gate from the cache), 1 write.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> gate: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

struct Params {
  count: u32,
  length: u32,
  width: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let batch = i / (params.length * params.width);
  out[i] = x[i] + gate[batch * params.width + i % params.width] * y[i];
}

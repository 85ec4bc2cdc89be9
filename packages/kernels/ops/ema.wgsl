// Exponential moving average, in place: average += rate (x - average), with rate = 1 - decay.
// One thread four elements, beyond the last of which is padding: 2 reads, 1 write. Nothing is written unless the run is
// alive.

@group(0) @binding(0) var<storage, read_write> average: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
// (not read here, 1 if alive else 0)
@group(0) @binding(2) var<storage, read> control: array<f32>;

struct Params {
  // In vec4f.
  count: u32,
  rate: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count && control[1] != 0.0) {
    average[i] += params.rate * (x[i] - average[i]);
  }
}

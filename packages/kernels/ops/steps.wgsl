// Step functions, whose derivative is 0 wherever they have one. One thread an element: 1 read and 1 write.
//   quantize: y = round(255 x) / 255, limited to [0, 1];  exceeds: y = 1 where |x| > limit, else 0

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

struct Params {
  count: u32,
  limit: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn quantize(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    y[i] = level_of(x[i]) / 255.0;
  }
}

@compute @workgroup_size(WORKGROUP)
fn exceeds(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i < params.count) {
    y[i] = select(0.0, 1.0, abs(x[i]) > params.limit);
  }
}

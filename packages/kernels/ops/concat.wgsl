// Copies blocks between two tensors that are seen as rows of different lengths: concatenation and splitting along an axis.
//
// y[o, y_offset + r] = x[o, x_offset + r] for r < block.
// One thread an element (or four): 1 read, 1 write.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;

// In Elem.
struct Params {
  count: u32,
  block: u32,
  x_stride: u32,
  x_offset: u32,
  y_stride: u32,
  y_offset: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn copy(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  let row = i / params.block;
  let r = i % params.block;
  y[row * params.y_stride + params.y_offset + r] = x[row * params.x_stride + params.x_offset + r];
}

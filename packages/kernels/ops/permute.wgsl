// Reorders the axes of a tensor of up to five: y[i0, ..., i4] = x[i0 stride_0 + ... + i4 stride_4].
// One thread an element of y (or four, where the last axis stays): 1 read, anywhere, and 1 write, in order.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;

// Sizes of y, but for the first, and for each axis of y the step that it makes in x, in Elem.
struct Params {
  count: u32,
  size_1: u32,
  size_2: u32,
  size_3: u32,
  size_4: u32,
  stride_0: u32,
  stride_1: u32,
  stride_2: u32,
  stride_3: u32,
  stride_4: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.count) {
    return;
  }
  var rest = i;
  var at = rest % params.size_4 * params.stride_4;
  rest /= params.size_4;
  at += rest % params.size_3 * params.stride_3;
  rest /= params.size_3;
  at += rest % params.size_2 * params.stride_2;
  rest /= params.size_2;
  at += rest % params.size_1 * params.stride_1;
  rest /= params.size_1;
  y[i] = x[at + rest * params.stride_0];
}

// Sums over rows that are `stride` elements apart: y[i] = x[i] + x[i + stride] + x[i + 2 stride] + ... below `count`.
// With stride = parts N that adds up every parts-th row of x [rows, N], for all parts and columns.
//
// One thread a result: neighbours read neighbouring elements whatever N is; 1 read, few writes. The order depends on
// the sizes alone, so that the result is the same every time.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;

struct Params {
  count: u32,
  stride: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.stride) {
    return;
  }
  var sum = Elem();
  for (var at = i; at < params.count; at += params.stride) {
    sum += x[at];
  }
  y[i] = sum;
}

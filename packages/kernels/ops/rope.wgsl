// Rotary position embedding on adjacent pairs: y[2j] = x[2j] cos - x[2j+1] sin, y[2j+1] = x[2j] sin + x[2j+1] cos.
// The gradient of x is the gradient of y rotated by the transposed matrix: the same with the other sign of the sine.
//
// One thread a pair: 1 read of x and of each table, 1 write. The tables have one row a token, for one batch or for all.

@group(0) @binding(0) var<storage, read> x: array<vec2f>;
@group(0) @binding(1) var<storage, read> cosines: array<f32>;
@group(0) @binding(2) var<storage, read> sines: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec2f>;

struct Params {
  pairs: u32,
  pairs_per_head: u32,
  heads: u32,
  length: u32,
  first: u32,
  // Rows of the tables from one batch to the next.
  table_step: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override TRANSPOSED: bool = false;

@compute @workgroup_size(WORKGROUP)
fn rotate(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.pairs) {
    return;
  }
  let token = i / (params.heads * params.pairs_per_head);
  let row = token / params.length * params.table_step + params.first + token % params.length;
  let at = row * params.pairs_per_head + i % params.pairs_per_head;
  let c = cosines[at];
  let s = select(sines[at], -sines[at], TRANSPOSED);
  let v = x[i];
  y[i] = vec2f(v.x * c - v.y * s, v.x * s + v.y * c);
}

// C = activation(alpha (P[0] + P[1] + ...) + bias + addend): the end of a product whose steps of K were divided into parts,
// P [B, parts, M, N] -> C [B, M, N], or its gated form; see _product_store_*.wgsl.
//
// A thread adds up four columns of a row: each part is read once. The order is that of the parts, always.

// Not read: the bindings are those of a product.
@group(0) @binding(1) var<storage, read> b: array<f32>;

struct Params {
  m: u32,
  n: u32,
  // Of all batches.
  rows: u32,
  parts: u32,
  alpha: f32,
  has_bias: u32,
  gate_rows: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

fn output_row(row: u32) -> u32 {
  return row;
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let fours = (params.n + 3u) / 4u;
  let row = i / fours;
  let column = i % fours * 4u;
  if (row >= params.rows) {
    return;
  }
  var at = (row / params.m * params.parts * params.m + row % params.m) * params.n + column;
  var sum = vec4f();
  for (var part = 0u; part < params.parts; part++) {
    sum += read_a(at, params.n - column);
    at += params.m * params.n;
  }
  store_four(row, column, sum);
}

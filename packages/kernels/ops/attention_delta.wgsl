// delta[q] = dout[q] . out[q] per batch and head, which the gradients of attention need (attention_backward.wgsl).
//
// out, dout [B, Lq, H, D] -> delta [B, H, Lq]; a thread a query and head.

@group(0) @binding(0) var<storage, read> out: array<vec4f>;
@group(0) @binding(1) var<storage, read> dout: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> delta: array<f32>;

struct Params {
  // Queries x heads of all batches.
  rows: u32,
  queries: u32,
  heads: u32,
  // vec4s of a head
  width: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= params.rows) {
    return;
  }
  var sum = 0.0;
  for (var d = 0u; d < params.width; d++) {
    sum += dot(out[i * params.width + d], dout[i * params.width + d]);
  }
  let token = i / params.heads;
  let batch = token / params.queries;
  delta[(batch * params.heads + i % params.heads) * params.queries + token % params.queries] = sum;
}

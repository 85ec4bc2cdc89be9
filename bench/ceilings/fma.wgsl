// y = y a + b, over and over, in registers: the most multiply-adds that the adapter can do.
//
// Three vec4 chains in flight hide the latency of one multiply-add and fit the 16 registers of an AVX2 core, where each
// component takes a register. One read and one write per thread; a and b come from a uniform, so nothing can be folded.
// The chains start apart and all converge to b / (1 - a).

struct Params {
  rounds: u32,
  factor: f32,
  offset: f32,
}
@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4f(params.factor);
  let b = vec4f(params.offset);
  var p = y[id.x];
  var q = p + 1.0;
  var r = p - 1.0;
  for (var i = 0u; i < params.rounds; i++) {
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
    p = fma(p, a, b); q = fma(q, a, b); r = fma(r, a, b);
  }
  y[id.x] = (p + q + r) / 3.0;
}

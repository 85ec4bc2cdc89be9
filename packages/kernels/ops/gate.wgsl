// out = x + gate y, with one gate row per batch: out[b, l, d] = x[b, l, d] + gate[b, d] y[b, l, d].
// Gradients of out's gradient g: dx = g, dy[b, l, d] = gate[b, d] g[b, l, d], dgate[b, d] = sum over l of g y.
//
// `forward`: one thread an element, 2 reads (and the gate from the cache), 1 write. `backward`: one thread one channel of
// a strip of tokens, which also adds up its part of dgate: 2 reads, 1 write; parts have 1 / STRIP of the size of y.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> gate: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
// backward
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> dy: array<f32>;
// [strips, B, D]
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;

struct Params {
  batches: u32,
  length: u32,
  width: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override STRIP: u32 = 32u;
// Which gradients are wanted.
override WITH_Y: bool = true;
override WITH_GATE: bool = true;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= params.batches * params.length * params.width) {
    return;
  }
  let batch = i / (params.length * params.width);
  out[i] = x[i] + gate[batch * params.width + i % params.width] * y[i];
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let row = params.batches * params.width;
  let first = i / row * STRIP;
  if (first >= params.length) {
    return;
  }
  let batch = i % row / params.width;
  let channel = i % params.width;
  let factor = gate[i % row];
  var sum = 0.0;
  for (var token = first; token < min(first + STRIP, params.length); token++) {
    let at = (batch * params.length + token) * params.width + channel;
    if (WITH_Y) {
      dy[at] = factor * g[at];
    }
    if (WITH_GATE) {
      sum += g[at] * y[at];
    }
  }
  if (WITH_GATE) {
    parts[i] = sum;
  }
}

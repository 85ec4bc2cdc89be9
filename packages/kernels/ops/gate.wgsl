// out = x + gate y, with one gate row per batch: out[b, l, d] = x[b, l, d] + gate[b, d] y[b, l, d].
// Gradients of out's gradient g: dx = g, dy[b, l, d] = gate[b, d] g[b, l, d], dgate[b, d] = sum over l of g y.
//
// One thread one channel (or four) of a strip of tokens, so that it reads the gate once: 2 reads, 1 write. `backward` also
// adds up its part of dgate: 2 reads, 1 write; parts have 1 / STRIP of the size of y.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> y: array<Elem>;
@group(0) @binding(2) var<storage, read> gate: array<Elem>;
@group(0) @binding(3) var<storage, read_write> out: array<Elem>;
// backward
@group(0) @binding(0) var<storage, read> g: array<Elem>;
@group(0) @binding(3) var<storage, read_write> dy: array<Elem>;
// [strips, B, D]
@group(0) @binding(4) var<storage, read_write> parts: array<Elem>;

struct Params {
  batches: u32,
  length: u32,
  // In Elem.
  width: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override STRIP: u32 = 8u;
// Which gradients are wanted.
override WITH_Y: bool = true;
override WITH_GATE: bool = true;

// A channel of a strip of tokens: elements begin, begin + width, ... below end.
struct Strip {
  // Of the channel in [B, D].
  column: u32,
  begin: u32,
  end: u32,
}

fn strip_of(i: u32) -> Strip {
  let column = i % (params.batches * params.width);
  let first = i / (params.batches * params.width) * STRIP;
  let start = column / params.width * params.length;
  return Strip(
    column,
    (start + first) * params.width + column % params.width,
    (start + min(first + STRIP, params.length)) * params.width,
  );
}

fn strips() -> u32 {
  return (params.length + STRIP - 1u) / STRIP * params.batches * params.width;
}

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= strips()) {
    return;
  }
  let strip = strip_of(i);
  let factor = gate[strip.column];
  for (var at = strip.begin; at < strip.end; at += params.width) {
    out[at] = x[at] + factor * y[at];
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  if (i >= strips()) {
    return;
  }
  let strip = strip_of(i);
  let factor = gate[strip.column];
  var sum = Elem();
  for (var at = strip.begin; at < strip.end; at += params.width) {
    let gradient = g[at];
    if (WITH_Y) {
      dy[at] = factor * gradient;
    }
    if (WITH_GATE) {
      sum += gradient * y[at];
    }
  }
  if (WITH_GATE) {
    parts[i] = sum;
  }
}

// L2 pooling with stride 2 of every channel, as DISTS has it (https://arxiv.org/abs/2004.07728, Eq. 1):
//   y[b, i, j, c] = sqrt(sum_uv g_u g_v x[b, 2i + u, 2j + v, c]^2 + eps),  u, v = -1, 0, 1,  g = 1/4, 1/2, 1/4
// g is a Hann window, and x is 0 beyond the edges: unlike the largest of a window, y barely depends on where it begins.
//
// One thread a channel (or four) of a result: up to 9 reads, 1 write.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;

struct Params {
  batches: u32,
  // Of x.
  height: u32,
  width: u32,
  // In Elem.
  channels: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// As the authors' program has it, for the sake of its gradient.
const EPS = 1e-12;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let size = (vec2u(params.height, params.width) + 1u) / 2u;
  let pixel = i / params.channels;
  let line = pixel / size.y;
  let batch = line / size.x;
  if (batch >= params.batches) {
    return;
  }
  let row = line % size.x * 2u;
  let column = pixel % size.y * 2u;
  var sum = Elem();
  for (var source = max(row, 1u) - 1u; source < min(row + 2u, params.height); source++) {
    let start = (batch * params.height + source) * params.width;
    var across = Elem();
    for (var at = max(column, 1u) - 1u; at < min(column + 2u, params.width); at++) {
      let value = x[(start + at) * params.channels + i % params.channels];
      across += select(0.25, 0.5, at == column) * value * value;
    }
    sum += select(0.25, 0.5, source == row) * across;
  }
  y[i] = sqrt(sum + EPS);
}

// Rotary position embedding on adjacent pairs: y[2j] = x[2j] cos - x[2j+1] sin, y[2j+1] = x[2j] sin + x[2j+1] cos.
// The gradient of x is the gradient of y rotated by the transposed matrix: the same with the other sign of the sine.
//
// One thread a pair (or two) of all heads of a token, which rotate alike: 1 read of x and of each table, 1 write. The
// tables have one row a token, for one batch or for all.

@group(0) @binding(0) var<storage, read> x: array<Pairs>;
@group(0) @binding(1) var<storage, read> cosines: array<Angles>;
@group(0) @binding(2) var<storage, read> sines: array<Angles>;
@group(0) @binding(3) var<storage, read_write> y: array<Pairs>;

struct Params {
  // B L.
  tokens: u32,
  // Of a head, in Pairs.
  width: u32,
  heads: u32,
  length: u32,
  first: u32,
  // Rows of the tables from one batch to the next.
  table_step: u32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
// -1 for the gradient.
override SIGN: f32 = 1.0;

@compute @workgroup_size(WORKGROUP)
fn rotate(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let token = i / params.width;
  if (token >= params.tokens) {
    return;
  }
  let row = token / params.length * params.table_step + params.first + token % params.length;
  let column = i % params.width;
  let c = cosines[row * params.width + column];
  let s = sines[row * params.width + column] * SIGN;
  let begin = token * params.heads * params.width + column;
  for (var head = 0u; head < params.heads; head++) {
    let at = begin + head * params.width;
    y[at] = rotated(x[at], c, s);
  }
}

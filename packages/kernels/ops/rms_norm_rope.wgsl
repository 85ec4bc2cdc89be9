// y = rope(scale x r), r = 1 / sqrt(mean(x^2) + eps) over each row of x: what attention does with queries and keys, in one
// pass; the pieces are in rms_norm.wgsl and rope.wgsl, and so are their gradients.
//
// A team a row: 2 reads of x, the second from the cache, 1 read of each table, 1 write. Rows are B, L, H; tables have one
// row a token, for one batch or for all, of which those of x begin at `first`. Where lanes are 8, heads have a way of their
// own: rms_norm_rope_lanes.wgsl.

@group(0) @binding(0) var<storage, read> x: array<Pairs>;
@group(0) @binding(1) var<storage, read> scale: array<vec4f>;
@group(0) @binding(2) var<storage, read> cosines: array<Angles>;
@group(0) @binding(3) var<storage, read> sines: array<Angles>;
@group(0) @binding(4) var<storage, read_write> y: array<Pairs>;

struct Params {
  rows: u32,
  // vec4s of a row.
  width: u32,
  heads: u32,
  length: u32,
  first: u32,
  // Rows of the tables from one batch to the next.
  table_step: u32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = (group.x + group.y * groups.x) * (WORKGROUP / TEAM) + thread / TEAM;
  // Teams without a row help to add up all the same.
  let row = min(index, params.rows - 1u);
  let begin = row * params.width;
  let member = thread % TEAM;
  var squares = vec4f();
  for (var i = member; i < params.width; i += TEAM) {
    squares += x[begin + i] * x[begin + i];
  }
  let sum = team_sum(dot(squares, vec4f(1.0)), thread);
  let r = 1.0 / sqrt(sum / f32(4u * params.width) + params.eps);
  if (index != row) {
    return;
  }
  let token = row / params.heads;
  let at = token / params.length * params.table_step + params.first + token % params.length;
  for (var i = member; i < params.width; i += TEAM) {
    let n = scale[i] * (x[begin + i] * r);
    y[begin + i] = rotated(n, cosines[at * params.width + i], sines[at * params.width + i]);
  }
}

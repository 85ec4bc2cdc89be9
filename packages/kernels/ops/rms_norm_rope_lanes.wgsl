// rms_norm_rope.wgsl by subgroups of 8 lanes, for the heads that rms_norm_lanes.wgsl takes: a lane holds 16 numbers of a
// row in registers, TEAM lanes a row, and sums go from lane to lane.
//
// A team takes all heads of a token, one after the other, so that scale and tables are read once: 1 read, 1 write.

@group(0) @binding(0) var<storage, read> x: array<Pairs>;
@group(0) @binding(1) var<storage, read> scale: array<mat4x4f>;
@group(0) @binding(2) var<storage, read> cosines: array<Angles>;
@group(0) @binding(3) var<storage, read> sines: array<Angles>;
@group(0) @binding(4) var<storage, read_write> y: array<Pairs>;

struct Params {
  // B L.
  tokens: u32,
  heads: u32,
  length: u32,
  first: u32,
  // Rows of the tables from one batch to the next.
  table_step: u32,
  // One in the numbers of a row.
  share: f32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let member = i % TEAM;
  // Teams without a token help to add up all the same.
  let token = min(i / TEAM, params.tokens - 1u);
  let row = token / params.length * params.table_step + params.first + token % params.length;
  let weights = scale[member];
  let c = cosines[row * TEAM + member];
  let s = sines[row * TEAM + member];
  for (var head = 0u; head < params.heads; head++) {
    let at = (token * params.heads + head) * TEAM + member;
    let values = x[at];
    let r = 1.0 / sqrt(lanes_sum(part_dot(values, values)) * params.share + params.eps);
    if (i / TEAM == token) {
      y[at] = rotated(part_times(weights, values * r), c, s);
    }
  }
}

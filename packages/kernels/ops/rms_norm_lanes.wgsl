// rms_norm.wgsl by subgroups of 8 lanes, for rows of 16, 32, 64 or 128 numbers, as heads have: a lane holds 16 of them in
// registers, TEAM lanes a row, and sums go from lane to lane.
//
// A team takes a strip of rows, one after the other: scale and the strip's part of dscale stay in registers as well, so
// that x and dy are read once and dx is written once; parts have 1 / 32 of the size of x.

@group(0) @binding(0) var<storage, read> x: array<mat4x4f>;
@group(0) @binding(1) var<storage, read> scale: array<mat4x4f>;
@group(0) @binding(2) var<storage, read_write> y: array<mat4x4f>;
// backward
@group(0) @binding(2) var<storage, read> dy: array<mat4x4f>;
@group(0) @binding(3) var<storage, read_write> dx: array<mat4x4f>;
// [strips, D]
@group(0) @binding(4) var<storage, read_write> parts: array<mat4x4f>;

struct Params {
  rows: u32,
  // Rows that a team takes.
  strip: u32,
  // One in the numbers of a row.
  share: f32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

override WITH_X: bool = true;
override WITH_SCALE: bool = true;

@compute @workgroup_size(WORKGROUP)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let member = i % TEAM;
  let weights = scale[member];
  for (var step = 0u; step < params.strip; step++) {
    let row = i / TEAM * params.strip + step;
    // Teams without a row help to add up all the same.
    let at = min(row, params.rows - 1u) * TEAM + member;
    let values = x[at];
    let r = 1.0 / sqrt(lanes_sum(part_dot(values, values)) * params.share + params.eps);
    if (row < params.rows) {
      y[at] = part_times(weights, values * r);
    }
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let member = i % TEAM;
  let weights = scale[member];
  var sum = mat4x4f();
  for (var step = 0u; step < params.strip; step++) {
    let row = i / TEAM * params.strip + step;
    let at = min(row, params.rows - 1u) * TEAM + member;
    let values = x[at];
    let gradients = dy[at];
    let weighted = part_times(weights, gradients);
    let r = 1.0 / sqrt(lanes_sum(part_dot(values, values)) * params.share + params.eps);
    let mean = lanes_sum(part_dot(values, weighted)) * params.share;
    if (row < params.rows) {
      if (WITH_X) {
        dx[at] = weighted * r - values * (r * r * r * mean);
      }
      sum += part_times(gradients, values * r);
    }
  }
  if (WITH_SCALE && i / TEAM * params.strip < params.rows) {
    parts[i] = sum;
  }
}

// y = scale x r, r = 1 / sqrt(mean(x^2) + eps) over each row of x.
// Gradients, with g = scale dy: dx = r (g - x r^2 mean(g x)), dscale = sum of dy x r over all rows.
//
// `forward` takes a team a row: 2 reads of x, the second from the cache, 1 write. So does `backward_rows`, which notes of
// each row what `backward` needs: 1 read of x and dy. `backward` takes one channel (or four) of a strip of rows a thread,
// so that it reads the scale once and keeps the strip's part of dscale to itself: 1 read of x and dy, 1 write; parts have
// 1 / 8 or 1 / 16 of the size of x. Short rows have a way of their own where lanes are 8: rms_norm_lanes.wgsl.

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> scale: array<Elem>;
@group(0) @binding(2) var<storage, read_write> y: array<Elem>;
// The gradients.
@group(0) @binding(2) var<storage, read> dy: array<Elem>;
// Of each row: r and r^3 mean(g x), so that dx = r g - x r^3 mean(g x).
@group(0) @binding(3) var<storage, read_write> lines: array<vec2f>;
@group(0) @binding(3) var<storage, read> known: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> dx: array<Elem>;
// [strips, D]
@group(0) @binding(5) var<storage, read_write> parts: array<Elem>;

struct Params {
  rows: u32,
  // In Elem.
  width: u32,
  // That the rows are divided into by `backward`: strip s has the rows that are s modulo `strips`.
  strips: u32,
  // One in the numbers of a row.
  share: f32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

// Which gradients are wanted.
override WITH_X: bool = true;
override WITH_SCALE: bool = true;

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
  var squares = Elem();
  for (var i = member; i < params.width; i += TEAM) {
    let value = x[begin + i];
    squares += value * value;
  }
  let r = 1.0 / sqrt(team_sum(elem_sum(squares), thread) * params.share + params.eps);
  if (index != row) {
    return;
  }
  for (var i = member; i < params.width; i += TEAM) {
    y[begin + i] = scale[i] * (x[begin + i] * r);
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward_rows(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let index = (group.x + group.y * groups.x) * (WORKGROUP / TEAM) + thread / TEAM;
  let row = min(index, params.rows - 1u);
  let begin = row * params.width;
  let member = thread % TEAM;
  var squares = Elem();
  var products = Elem();
  for (var i = member; i < params.width; i += TEAM) {
    let value = x[begin + i];
    squares += value * value;
    products += value * (scale[i] * dy[begin + i]);
  }
  let r = 1.0 / sqrt(team_sum(elem_sum(squares), thread) * params.share + params.eps);
  let mean = team_sum(elem_sum(products), thread) * params.share;
  if (index == row && member == 0u) {
    lines[row] = vec2f(r, r * r * r * mean);
  }
}

@compute @workgroup_size(WORKGROUP)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * WORKGROUP;
  let strip = i / params.width;
  if (strip >= params.strips) {
    return;
  }
  let column = i % params.width;
  let weight = scale[column];
  var sum = Elem();
  for (var row = strip; row < params.rows; row += params.strips) {
    let at = row * params.width + column;
    let line = known[row];
    let value = x[at];
    let gradient = dy[at];
    if (WITH_X) {
      dx[at] = line.x * (weight * gradient) - line.y * value;
    }
    sum += gradient * (value * line.x);
  }
  if (WITH_SCALE) {
    parts[i] = sum;
  }
}

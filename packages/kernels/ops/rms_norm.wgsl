// y = scale x r, r = 1 / sqrt(mean(x^2) + eps) over each row of x.
// Gradients, with g = scale dy: dx = r (g - x r^2 mean(g x)), dscale = sum of dy x r over all rows.
//
// Rows are short (a head: 16 to 128) and many, so LANES neighbouring threads share a row and a workgroup holds several.
// Each lane adds the few partial sums itself: one barrier, no tree. `forward`: 2 reads of x, the second from the cache,
// 1 write. `backward`: the same lanes take a strip of rows, one after the other; x and dy come from memory once. The
// sums over a strip stay in the cache, where a lane always adds to the same channels; parts have 1 / strip of the size of x.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
// backward
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
// [strips, D]
@group(0) @binding(4) var<storage, read_write> parts: array<f32>;

struct Params {
  rows: u32,
  width: u32,
  // Rows.
  strip: u32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

// Which gradients are wanted.
override WITH_X: bool = true;
override WITH_SCALE: bool = true;

const ROWS = 8u;
const LANES = 8u;

var<workgroup> lanes: array<array<vec2f, LANES>, ROWS>;

// The sum over the lanes of a row. All threads of the workgroup must call it.
fn sum_over_lanes(value: vec2f, thread: vec3u) -> vec2f {
  workgroupBarrier(); // the result of an earlier call may still be read
  lanes[thread.y][thread.x] = value;
  workgroupBarrier();
  var sum = vec2f();
  for (var lane = 0u; lane < LANES; lane++) {
    sum += lanes[thread.y][lane];
  }
  return sum;
}

@compute @workgroup_size(LANES, ROWS)
fn forward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
) {
  let row = (group.x + group.y * groups.x) * ROWS + thread.y;
  let base = row * params.width;
  // Rows beyond the last one are empty.
  let width = select(0u, params.width, row < params.rows);

  var squares = 0.0;
  for (var i = thread.x; i < width; i += LANES) {
    let value = x[base + i];
    squares += value * value;
  }
  let sum = sum_over_lanes(vec2f(squares, 0.0), thread).x;
  let r = 1.0 / sqrt(sum / f32(params.width) + params.eps);

  for (var i = thread.x; i < width; i += LANES) {
    y[base + i] = scale[i] * (x[base + i] * r);
  }
}

@compute @workgroup_size(LANES, ROWS)
fn backward(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
) {
  let strip = (group.x + group.y * groups.x) * ROWS + thread.y;
  for (var step = 0u; step < params.strip; step++) {
    let row = strip * params.strip + step;
    let base = row * params.width;
    let width = select(0u, params.width, row < params.rows);

    // Squares of x, products g x.
    var sums = vec2f();
    for (var i = thread.x; i < width; i += LANES) {
      let value = x[base + i];
      sums += value * vec2f(value, scale[i] * dy[base + i]);
    }
    let means = sum_over_lanes(sums, thread) / f32(params.width);
    let r = 1.0 / sqrt(means.x + params.eps);

    for (var i = thread.x; i < width; i += LANES) {
      let n = x[base + i] * r;
      if (WITH_X) {
        dx[base + i] = r * (scale[i] * dy[base + i] - n * (r * means.y));
      }
      if (WITH_SCALE) {
        let part = strip * params.width + i;
        parts[part] = select(parts[part], 0.0, step == 0u) + dy[base + i] * n;
      }
    }
  }
}

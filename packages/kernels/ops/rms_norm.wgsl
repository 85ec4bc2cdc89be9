// y = scale x / sqrt(mean(x^2) + eps) over each row of x.
//
// Rows are short (a head: 16 to 128) and many, so LANES neighbouring threads share a row and a workgroup holds several:
// 2 reads of x, the second from the cache, 1 write. Each lane adds the few partial sums itself: one barrier, no tree.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

struct Params {
  rows: u32,
  width: u32,
  eps: f32,
}
@group(1) @binding(0) var<uniform> params: Params;

const ROWS = 8u;
const LANES = 8u;

var<workgroup> partial: array<array<f32, LANES>, ROWS>;

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
  partial[thread.y][thread.x] = squares;
  workgroupBarrier();
  var sum = 0.0;
  for (var lane = 0u; lane < LANES; lane++) {
    sum += partial[thread.y][lane];
  }
  let rrms = 1.0 / sqrt(sum / f32(params.width) + params.eps);

  for (var i = thread.x; i < width; i += LANES) {
    y[base + i] = scale[i] * (x[base + i] * rrms);
  }
}

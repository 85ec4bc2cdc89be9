// The register tile that matmul and convolution share: a thread owns 8 rows x 8 columns of C [batch, M, N].
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> addend: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

override HAS_BIAS: bool = false;
override HAS_ADDEND: bool = false;
// 0 none, 1 GELU (tanh), 2 SiLU
override ACTIVATION: u32 = 0u;

const TILE = 8u;
// Threads of a workgroup along M and N: narrow outputs take fewer along N, so that no thread idles.
override THREADS_M: u32 = 8u;
override THREADS_N: u32 = 8u;

// Whether the rows of a thread are THREADS_M apart (neighbouring threads then read neighbouring rows) or adjacent.
override INTERLEAVED: bool = true;

// First row and column of this thread's tile.
fn tile_origin(group: u32, thread: vec3u) -> vec2u {
  let tiles_n = (params.n + TILE * THREADS_N - 1u) / (TILE * THREADS_N);
  let first = group / tiles_n * THREADS_M * TILE;
  return vec2u(
    first + thread.y * select(TILE, 1u, INTERLEAVED),
    (group % tiles_n * THREADS_N + thread.x) * TILE,
  );
}

fn row_step() -> u32 {
  return select(1u, THREADS_M, INTERLEAVED);
}

// Elements 2 i and 2 i + 1 are the left and right four columns of row i. Literal indices keep it in registers.
var<private> sums: array<vec4f, 16>;

fn add_row(i: u32, x: vec4f, w: array<vec4f, 8>) {
  sums[2u * i] += x.x * w[0] + x.y * w[2] + x.z * w[4] + x.w * w[6];
  sums[2u * i + 1u] += x.x * w[1] + x.y * w[3] + x.z * w[5] + x.w * w[7];
}

// Adds four steps of K: x[i] is row i of A at k .. k + 3, w[2 j] and w[2 j + 1] are row k + j of B.
fn accumulate(x: array<vec4f, 8>, w: array<vec4f, 8>) {
  add_row(0u, x[0], w);
  add_row(1u, x[1], w);
  add_row(2u, x[2], w);
  add_row(3u, x[3], w);
  add_row(4u, x[4], w);
  add_row(5u, x[5], w);
  add_row(6u, x[6], w);
  add_row(7u, x[7], w);
}

fn store(value: f32, column: u32, at: u32) {
  var y = params.alpha * value;
  if (HAS_BIAS) {
    y += bias[column];
  }
  if (HAS_ADDEND) {
    y += addend[at];
  }
  if (ACTIVATION == 1u) {
    y = gelu(y);
  }
  if (ACTIVATION == 2u) {
    y = silu(y);
  }
  c[at] = y;
}

fn store_four(column: u32, at: u32, value: vec4f) {
  if (column < params.n) {
    store(value.x, column, at);
  }
  if (column + 1u < params.n) {
    store(value.y, column + 1u, at + 1u);
  }
  if (column + 2u < params.n) {
    store(value.z, column + 2u, at + 2u);
  }
  if (column + 3u < params.n) {
    store(value.w, column + 3u, at + 3u);
  }
}

fn store_row(batch: u32, row: u32, column: u32, left: vec4f, right: vec4f) {
  if (row < params.m) {
    let at = (batch * params.m + row) * params.n + column;
    store_four(column, at, left);
    store_four(column + 4u, at + 4u, right);
  }
}

fn store_tile(batch: u32, row: u32, column: u32) {
  let step = row_step();
  store_row(batch, row, column, sums[0], sums[1]);
  store_row(batch, row + 1u * step, column, sums[2], sums[3]);
  store_row(batch, row + 2u * step, column, sums[4], sums[5]);
  store_row(batch, row + 3u * step, column, sums[6], sums[7]);
  store_row(batch, row + 4u * step, column, sums[8], sums[9]);
  store_row(batch, row + 5u * step, column, sums[10], sums[11]);
  store_row(batch, row + 6u * step, column, sums[12], sums[13]);
  store_row(batch, row + 7u * step, column, sums[14], sums[15]);
}

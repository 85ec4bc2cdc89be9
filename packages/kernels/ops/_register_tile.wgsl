// The register tile that matmul and convolution share: a thread owns 8 rows x 8 columns of C [batch, M, N].
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

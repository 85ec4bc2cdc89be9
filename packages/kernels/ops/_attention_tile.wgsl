// The tile that attention and its gradients share: a workgroup of 8 x 8 threads holds 32 rows (queries, or keys) and
// walks over the columns (the other) 64 at a time. A thread has rows y, y + 8, y + 16, y + 24.
const ROWS = 32u;
const COLUMNS = 64u;
// vec4s of a row of weights, padded against bank conflicts.
const PITCH = 17u;
// vec4s of the result per thread and row, 1 to 4.
override CHUNKS: u32 = 4u;

// What each column counts for each row, for all threads.
var<workgroup> weights: array<vec4f, 544>; // ROWS * PITCH

// Results: row i, chunk c at 4 i + c.
var<private> sums: array<vec4f, 16>;

// The weights of four columns from `first` (of the tile) on, for the rows of a thread.
fn load_weights(row: u32, first: u32) -> array<vec4f, 4> {
  let at = row * PITCH + first / 4u;
  return array<vec4f, 4>(
    weights[at],
    weights[at + 8u * PITCH],
    weights[at + 16u * PITCH],
    weights[at + 24u * PITCH],
  );
}

// Adds four columns of values to chunk c of the rows.
fn weigh(c: u32, v0: vec4f, v1: vec4f, v2: vec4f, v3: vec4f, w: array<vec4f, 4>) {
  sums[c] += w[0].x * v0 + w[0].y * v1 + w[0].z * v2 + w[0].w * v3;
  sums[4u + c] += w[1].x * v0 + w[1].y * v1 + w[1].z * v2 + w[1].w * v3;
  sums[8u + c] += w[2].x * v0 + w[2].y * v1 + w[2].z * v2 + w[2].w * v3;
  sums[12u + c] += w[3].x * v0 + w[3].y * v1 + w[3].z * v2 + w[3].w * v3;
}

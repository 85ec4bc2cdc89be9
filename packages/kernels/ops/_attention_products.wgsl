// The two products of attention_shared.wgsl and attention_backward_shared.wgsl, in the registers of 16 x 16 threads: of
// 64 HALVES rows and 64 columns over their channels, and of what columns count for rows and what columns bring. 16 steps
// of either are one filling of the lines.

// Whether a head has more than 64 channels: a thread then has two vec4s of the result of a row.
override WIDE: bool = true;

// What each column counts for each row: [16 columns of a half, column, four rows], and one vec4 more, so that neighbouring
// columns begin at neighbouring banks. The column is a literal where it is read: no address has to be computed.
var<workgroup> weights: array<array<array<vec4f, 17>, 16>, 4u * HALVES>;

// Row r of the thread: row 4 y + r, or 64 + 4 y + r - 4 in the second half; its columns are x, x + 16, x + 32, x + 48.
var<private> scores: array<vec4f, 8>;
// Elements 2 r and 2 r + 1: channels 4 x .. 4 x + 3, and those 64 further.
var<private> sums: array<vec4f, 16>;
// Column and row of the thread.
var<private> x: u32;
var<private> y: u32;

fn score_four(r: u32, rows: vec4f, columns: vec4f) {
  scores[r] += rows.x * columns;
  scores[r + 1u] += rows.y * columns;
  scores[r + 2u] += rows.z * columns;
  scores[r + 3u] += rows.w * columns;
}

fn score_step(line: u32) {
  let columns = column_lines[line][place(line, x)];
  let row = place(line, y);
  score_four(0u, lines[line][row], columns);
  if (HALVES > 1u) {
    score_four(4u, lines[line][16u + row], columns);
  }
}

fn weigh_four(r: u32, four: vec4f, left: vec4f, right: vec4f) {
  sums[2u * r] += four.x * left;
  sums[2u * r + 2u] += four.y * left;
  sums[2u * r + 4u] += four.z * left;
  sums[2u * r + 6u] += four.w * left;
  if (WIDE) {
    sums[2u * r + 1u] += four.x * right;
    sums[2u * r + 3u] += four.y * right;
    sums[2u * r + 5u] += four.z * right;
    sums[2u * r + 7u] += four.w * right;
  }
}

// Adds what column `line` brings of the 16 whose lines are there.
fn weigh_step(line: u32, sixteen: u32) {
  let left = lines[line][x];
  let right = lines[line][16u + x];
  weigh_four(0u, weights[sixteen][line][y], left, right);
  if (HALVES > 1u) {
    weigh_four(4u, weights[4u + sixteen][line][y], left, right);
  }
}

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

// The 16 channels that the lines hold.
fn score_lines() {
  score_step(0u); score_step(1u); score_step(2u); score_step(3u);
  score_step(4u); score_step(5u); score_step(6u); score_step(7u);
  score_step(8u); score_step(9u); score_step(10u); score_step(11u);
  score_step(12u); score_step(13u); score_step(14u); score_step(15u);
}

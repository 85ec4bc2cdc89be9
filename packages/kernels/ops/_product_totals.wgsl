// What a thread of _product_shared.wgsl has added up: sums, or if SEGMENTED the sums of each segment of K apart, which then
// carry the rounding errors of fewer terms. That takes twice the registers, so only convolutions do, whose segments are
// the taps: the gradient of a perceptual distance asks on which side of a tie a value falls.

override SEGMENTED: bool = false;

// As in `sums`.
var<private> totals: array<vec4f, 16>;

fn close(i: u32) {
  totals[2u * i] += sums[2u * i];
  totals[2u * i + 1u] += sums[2u * i + 1u];
  sums[2u * i] = vec4f();
  sums[2u * i + 1u] = vec4f();
}

fn close_segment() {
  close(0u);
  close(1u);
  close(2u);
  close(3u);
  if (HALVES > 1u) {
    close(4u);
    close(5u);
    close(6u);
    close(7u);
  }
}

fn store_row(i: u32, row: u32, column: u32) {
  if (SEGMENTED) {
    store_four(row, column, totals[2u * i]);
    store_four(row, column + 4u * GRID, totals[2u * i + 1u]);
  } else {
    store_four(row, column, sums[2u * i]);
    store_four(row, column + 4u * GRID, sums[2u * i + 1u]);
  }
}

fn store_rows(i: u32, row: u32, column: u32) {
  store_row(i, row, column);
  store_row(i + 1u, row + 1u, column);
  store_row(i + 2u, row + 2u, column);
  store_row(i + 3u, row + 3u, column);
}

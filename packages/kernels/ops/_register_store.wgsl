// How a register tile is written: C = activation(alpha sums + bias + addend), with what lies beyond the edges left out.
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> addend: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

override HAS_BIAS: bool = false;
override HAS_ADDEND: bool = false;
// 0 none, 1 GELU (tanh), 2 SiLU
override ACTIVATION: u32 = 0u;

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
  } else if (ACTIVATION == 2u) {
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

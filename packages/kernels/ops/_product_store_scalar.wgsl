// How four columns of a row of C are written: activation(alpha value + bias + addend), with what lies beyond the edges left
// out; rows of C have any length.
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> addend: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

fn store(value: f32, column: u32, at: u32) {
  if (column < params.n) {
    var y = params.alpha * value;
    if (params.has_bias != 0u) {
      y += bias[column];
    }
    if (HAS_ADDEND) {
      y += addend[at];
    }
    c[at] = activate(vec4f(y)).x;
  }
}

fn store_four(row: u32, column: u32, value: vec4f) {
  let place = output_row(row);
  if (place != NOWHERE) {
    let at = place * params.n + column;
    store(value.x, column, at);
    store(value.y, column + 1u, at + 1u);
    store(value.z, column + 2u, at + 2u);
    store(value.w, column + 3u, at + 3u);
  }
}

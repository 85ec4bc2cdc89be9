// How four columns of a row of C are written: activation(alpha value + bias + addend), with what lies beyond the edges left
// out; rows of C are a multiple of four long.
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> addend: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> c: array<vec4f>;

fn store_four(row: u32, column: u32, value: vec4f) {
  let place = output_row(row);
  if (place != NOWHERE && column < params.n) {
    let at = (place * params.n + column) / 4u;
    var y = params.alpha * value;
    if (params.has_bias != 0u) {
      y += bias[column / 4u];
    }
    if (HAS_ADDEND) {
      y += addend[at];
    }
    c[at] = activate(y);
  }
}

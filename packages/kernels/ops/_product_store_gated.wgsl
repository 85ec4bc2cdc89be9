// How four columns of a row of C are written where the product is added to a residual stream: addend + gate (alpha value +
// bias), one row of the gate for each `gate_rows` rows; what lies beyond the edges is left out; rows of C are a multiple of
// four long.
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> addend: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> c: array<vec4f>;
@group(0) @binding(5) var<storage, read> gate: array<vec4f>;

fn store_four(row: u32, column: u32, value: vec4f) {
  let place = output_row(row);
  if (place != NOWHERE && column < params.n) {
    var y = params.alpha * value;
    if (params.has_bias != 0u) {
      y += bias[column / 4u];
    }
    let at = (place * params.n + column) / 4u;
    c[at] = addend[at] + gate[(place / params.gate_rows * params.n + column) / 4u] * y;
  }
}

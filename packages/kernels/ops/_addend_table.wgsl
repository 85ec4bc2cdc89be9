// The addend of a softmax is a table: row r takes row r mod bias_rows of it.
@group(0) @binding(1) var<storage, read> bias: array<Elem>;

fn addend_begin(row: u32) -> u32 {
  return row % params.bias_rows * params.width;
}

fn addend(begin: u32, i: u32) -> Elem {
  return bias[begin + i];
}

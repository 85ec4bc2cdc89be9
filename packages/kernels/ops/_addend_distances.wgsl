// Where the addends of a row of square scores begin in [bias_rows, 2 L - 1], which has one for each distance from -(L - 1)
// to L - 1: row q of matrix h takes L of them from number L - 1 - q of row h mod bias_rows on.
fn first_distance(row: u32, tokens: u32) -> u32 {
  return row / tokens % params.bias_rows * (2u * tokens - 1u) + tokens - 1u - row % tokens;
}

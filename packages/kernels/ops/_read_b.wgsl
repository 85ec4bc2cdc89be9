// Four consecutive elements of B, from `at` on, of a row that has `left` more: read and unpacked. `raw_b` reads them alone,
// `value_of_b` unpacks: apart, since what touches a value that was read waits for it.
fn read_b(at: u32, left: u32) -> vec4f {
  return value_of_b(raw_b(at, left));
}

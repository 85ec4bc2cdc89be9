// Reads four consecutive elements of B, from `at` on, stored as Q8_0; rows are whole blocks.
// x[i] = d q[i]. A block of 32 elements is f16 d, 32 i8 q.
fn raw_b(at: u32, left: u32) -> vec4u {
  let block = at / 32u * 34u;
  let word = vec4i(i32(word_at(block + 2u + at % 32u)));
  let q = (word << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u);
  return bitcast<vec4u>(half_at(block) * vec4f(q));
}

// Reads four consecutive elements of B, from `at` on, stored as Q4_0; rows are whole blocks.
// x[i] = d (q[i] - 8). A block of 32 elements is f16 d, 16 bytes whose lower halves are q[0 .. 15] and upper q[16 .. 31].
fn raw_b(at: u32, left: u32) -> vec4u {
  let block = at / 32u * 18u;
  let i = at % 32u;
  let word = word_at(block + 2u + i % 16u) >> (i / 16u * 4u);
  return bitcast<vec4u>(half_at(block) * (vec4f(bytes_of(word & 0x0f0f0f0fu)) - 8.0));
}

// Reads four consecutive elements of B, from `at` on, stored as Q4_K; rows are whole blocks.
// x[i] = d s[i / 32] q[i] - dmin m[i / 32]. A block of 256 elements is 16 bytes of scales, then for each 64 elements 32
// bytes, whose lower halves are the first 32 q.
fn raw_b(at: u32, left: u32) -> vec4u {
  let block = at / 256u * 144u;
  let i = at % 256u;
  let j = i / 32u;
  let word = word_at(block + 16u + j / 2u * 32u + i % 32u) >> (j % 2u * 4u);
  let scale = k_scales(block, j);
  return bitcast<vec4u>(scale.x * vec4f(bytes_of(word & 0x0f0f0f0fu)) - scale.y);
}

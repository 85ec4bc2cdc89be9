// Reads four consecutive elements of B, from `at` on, stored as Q5_K; rows are whole blocks.
// x[i] = d s[i / 32] q[i] - dmin m[i / 32]. A block of 256 elements is 16 bytes of scales, 32 bytes h, where bit j of
// h[i % 32] is the fifth bit of q[i] for j = i / 32, then for each 64 elements 32 bytes, whose lower halves are the lower
// four bits of the first 32 q.
fn raw_b(at: u32, left: u32) -> vec4u {
  let block = at / 256u * 176u;
  let i = at % 256u;
  let j = i / 32u;
  let low = word_at(block + 48u + j / 2u * 32u + i % 32u) >> (j % 2u * 4u);
  let high = word_at(block + 16u + i % 32u) >> j;
  let q = (low & 0x0f0f0f0fu) | ((high & 0x01010101u) << 4u);
  let scale = k_scales(block, j);
  return bitcast<vec4u>(scale.x * vec4f(bytes_of(q)) - scale.y);
}

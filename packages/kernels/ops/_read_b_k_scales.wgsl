// The scales of ggml's K blocks, Q4_K and Q5_K: x = d s[j] q - dmin m[j] with one 6-bit s and m for each j = 0 .. 7 of
// 32 elements. A block begins with f16 d, f16 dmin, then 12 bytes c: the lower six bits of c[j] are s[j], those of
// c[j + 4] m[j], for j < 4; for the others, the halves of c[j + 4] are the lower four bits of s[j] and m[j], the top two
// bits of c[j - 4] and c[j] the upper two.
fn k_scales(block: u32, j: u32) -> vec2f {
  let c = block + 4u;
  let delta = vec2f(half_at(block), half_at(block + 2u));
  if (j < 4u) {
    return delta * vec2f(vec2u(byte_at(c + j), byte_at(c + j + 4u)) & vec2u(63u));
  }
  let low = byte_at(c + j + 4u);
  let high = vec2u(byte_at(c + j - 4u), byte_at(c + j)) >> vec2u(6u);
  return delta * vec2f(vec2u(low & 15u, low >> 4u) | (high << vec2u(4u)));
}

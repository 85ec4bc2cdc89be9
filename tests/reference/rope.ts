/** Rotates adjacent pairs of x [B, L, H, D] by the angles of tables [1 or B, L, D / 2]. */
export function rope(
  x: ArrayLike<number>,
  { shape: [batches, length, heads, width], cos, sin }: {
    shape: readonly [number, number, number, number];
    cos: ArrayLike<number>;
    sin: ArrayLike<number>;
  },
): number[] {
  const y: number[] = [];
  const half = width / 2;
  const shared = cos.length === length * half;
  for (let batch = 0; batch < batches; batch++) {
    for (let token = 0; token < length; token++) {
      for (let head = 0; head < heads; head++) {
        for (let pair = 0; pair < half; pair++) {
          const row = (shared ? 0 : batch * length) + token;
          const c = cos[row * half + pair]!;
          const s = sin[row * half + pair]!;
          const at = ((batch * length + token) * heads + head) * width + 2 * pair;
          y.push(x[at]! * c - x[at + 1]! * s, x[at]! * s + x[at + 1]! * c);
        }
      }
    }
  }
  return y;
}

/** Sizes of one product; `batches` products of [M, K] by [K, N]. */
export interface Sizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly batches?: number;
  readonly sharedB?: boolean;
}

/** Plain loops in f64: `a` [batches, M, K] (or [K, M]) times `b` [batches or 1, K, N] (or [N, K]). */
export function matmulReference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { m, k, n, batches = 1, sharedB = false, transposeA = false, transposeB = false }: Sizes & {
    readonly transposeA?: boolean;
    readonly transposeB?: boolean;
  },
): Float64Array {
  const c = new Float64Array(batches * m * n);
  for (let batch = 0; batch < batches; batch++) {
    const a0 = batch * m * k;
    const b0 = sharedB ? 0 : batch * k * n;
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let i = 0; i < k; i++) {
          sum += a[a0 + (transposeA ? i * m + row : row * k + i)]! *
            b[b0 + (transposeB ? column * k + i : i * n + column)]!;
        }
        c[(batch * m + row) * n + column] = sum;
      }
    }
  }
  return c;
}

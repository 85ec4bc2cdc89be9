/** The cosine of every token with its sample's mean token, `x [B, L, D] -> [B, L]`; Eq. 22 is their mean. */
export function cosineToMean(x: ArrayLike<number>, shape: readonly number[], eps = 1e-8): number[] {
  const [batches = 0, tokens = 0, width = 0] = shape;
  return range(batches).flatMap((batch) => {
    const rows = range(tokens).map((token) => range(width).map((i) => x[(batch * tokens + token) * width + i]!));
    const mean = range(width).map((i) => rows.reduce((sum, row) => sum + row[i]! / tokens, 0));
    return rows.map((row) => dot(row, mean) / (Math.sqrt(dot(row, row) * dot(mean, mean)) + eps));
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

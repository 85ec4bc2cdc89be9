/** Plain loops in f64: softmax(q k^T / sqrt(D)) v for q [B, Lq, H, D] and k, v [B, Lk, H, D]. */
export function attentionReference(
  { q, k, v }: Readonly<Record<"q" | "k" | "v", ArrayLike<number>>>,
  { batches, queries, keys, heads, width }: Readonly<
    Record<"batches" | "queries" | "keys" | "heads" | "width", number>
  >,
): Float64Array {
  const out = new Float64Array(batches * queries * heads * width);
  const at = (tokens: number, batch: number, token: number, head: number) =>
    ((batch * tokens + token) * heads + head) * width;
  for (let batch = 0; batch < batches; batch++) {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < queries; i++) {
        const from = at(queries, batch, i, head);
        const scores = Array.from({ length: keys }, (_, j) => {
          const to = at(keys, batch, j, head);
          let dot = 0;
          for (let c = 0; c < width; c++) dot += q[from + c]! * k[to + c]!;
          return dot / Math.sqrt(width);
        });
        const largest = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - largest));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        weights.forEach((weight, j) => {
          const to = at(keys, batch, j, head);
          for (let c = 0; c < width; c++) out[from + c]! += weight / total * v[to + c]!;
        });
      }
    }
  }
  return out;
}

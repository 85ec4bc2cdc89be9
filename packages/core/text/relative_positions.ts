/** How T5 tells distances: near ones each for itself, far ones in buckets that widen, up to a largest distance. */
export interface Buckets {
  /** Of both directions together. */
  readonly count: number;
  readonly maxDistance: number;
}

/**
 * The bucket of a key that is `distance` tokens after its query (negative: before), as the T5 paper's implementation has
 * it for encoders: half of the buckets for each direction, half of those for the nearest distances, the others for ever
 * longer spans on a scale of logarithms.
 */
export function bucketOf(distance: number, { count, maxDistance }: Buckets): number {
  const perDirection = count / 2;
  const exact = Math.floor(perDirection / 2);
  const far = Math.abs(distance);
  const first = distance > 0 ? perDirection : 0;
  if (far < exact) return first + far;
  // Logarithms to base 2 are exact where a span begins at a power of two, as all of T5's do.
  const share = Math.log2(far / exact) / Math.log2(maxDistance / exact);
  return first + Math.min(perDirection - 1, exact + Math.floor(share * (perDirection - exact)));
}

/**
 * What is added to the scores of `tokens` tokens by the distance of key and query, [heads, 2 tokens - 1] from the key that is
 * farthest before to the one farthest after, of the learned `table` [buckets, heads].
 */
export function distanceBias(
  table: Float32Array,
  { heads, tokens, buckets }: { heads: number; tokens: number; buckets: Buckets },
): Float32Array<ArrayBuffer> {
  const distances = 2 * tokens - 1;
  const bias = new Float32Array(heads * distances);
  for (let i = 0; i < distances; i++) {
    const row = bucketOf(i - (tokens - 1), buckets) * heads;
    for (let head = 0; head < heads; head++) bias[head * distances + i] = table[row + head]!;
  }
  return bias;
}

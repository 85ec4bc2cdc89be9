import { concat, split, type Tensor } from "@fluxsr/kernels";

/** Runs `body` on each sample of batches of equal length and joins what it makes. */
export function eachSample(
  batches: readonly Tensor[],
  body: (i: number, samples: readonly Tensor[]) => Tensor,
): Tensor {
  const count = batches[0]?.shape[0] ?? 0;
  if (count === 1) return body(0, batches);
  const samples = batches.map((batch) => split(batch, 0, Array.from({ length: count }, () => 1)));
  return concat(Array.from({ length: count }, (_, i) => body(i, samples.map((each) => each[i]!))), 0);
}

import { hashBits } from "@fluxsr/core";
import { compare, type Comparison } from "./compare.ts";
import type { Tolerance } from "./case.ts";

/** Sum, sum of magnitudes, l2 norm, and the sum with signs that a hash of each element's index gives. */
function statsOf(gradient: Float32Array): [number, number, number, number] {
  let [sum, magnitudes, squares, signed] = [0, 0, 0, 0];
  gradient.forEach((value, k) => {
    sum += value;
    magnitudes += Math.abs(value);
    squares += value * value;
    signed += hashBits(k) & 1 ? -value : value;
  });
  return [sum, magnitudes, Math.sqrt(squares), signed];
}

/**
 * Compares the four statistics of a whole gradient, each with its own bound: the signed sums cancel, so that their bound
 * is relative to the sum of magnitudes; if the gradient is zero but for rounding, each element adds `atol` to all.
 */
export function compareStats(
  name: string,
  { actual, expected, isZero }: { actual: Float32Array | undefined; expected: Float32Array; isZero: boolean },
  { rtol, atol }: Tolerance,
): Comparison[] {
  const stats = actual && statsOf(actual);
  const magnitudes = expected[1] ?? NaN;
  return Array.from(expected, (value, i) => {
    const bound = isZero
      ? { rtol: 0, atol: atol * (actual?.length ?? 0) }
      : i % 3 === 0
      ? { rtol: 0, atol: rtol * magnitudes }
      : { rtol, atol: 0 };
    return compare(`${name}[${i}]`, { actual: stats && [stats[i] ?? NaN], expected: [value] }, bound);
  });
}

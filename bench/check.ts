import { type AdapterSummary, type Gpu, read } from "@fluxsr/kernels";
import type { Sample, Work } from "./case.ts";

/** f32 sums of up to 15360 terms, in any order, stay within this of the f64 reference. */
export const TOLERANCE = 2e-5;

/** Matrix units round operands to f16: about 3e-4 of the largest value. */
const MATRIX_TOLERANCE = 2e-3;

/** How far our own results may be from the reference. */
export function toleranceOf({ matrices }: Pick<AdapterSummary, "matrices">): number {
  return matrices.length > 0 ? MATRIX_TOLERANCE : TOLERANCE;
}

/** A kernel computed something wrong: its time would mean nothing. */
export class WrongResultError extends Error {
  override name = "WrongResultError";
}

/**
 * The largest difference at the samples, relative to the largest expected value of the same result; NaN if a value is
 * missing or NaN.
 */
export function sampledError(results: readonly ArrayLike<number>[], samples: Iterable<Sample>): number {
  const byResult = Map.groupBy(samples, ({ result = 0 }) => result);
  if (byResult.size === 0) return NaN;
  return Math.max(...[...byResult].map(([result, own]) => errorOfOne(results[result] ?? [], own)));
}

function errorOfOne(values: ArrayLike<number>, samples: Iterable<Sample>): number {
  let worst = 0;
  let largest = 0;
  for (const { at, expected } of samples) {
    const difference = Math.abs((values[at] ?? NaN) - expected);
    if (!(difference <= worst)) worst = difference;
    if (Number.isNaN(worst)) return NaN;
    largest = Math.max(largest, Math.abs(expected));
  }
  return largest > 0 ? worst / largest : NaN;
}

/** @throws {WrongResultError} if `results` are not those of `samples` */
export function requireSamples(
  what: string,
  results: readonly ArrayLike<number>[],
  samples: Iterable<Sample>,
  tolerance = TOLERANCE,
): void {
  const error = sampledError(results, samples);
  if (!(error < tolerance)) {
    throw new WrongResultError(
      `Cannot time ${what}: it must be within ${tolerance} of the reference: it is ${error} off`,
    );
  }
}

/** Runs `work` once and compares it with its reference. */
export async function checkWork(gpu: Gpu, what: string, work: Work): Promise<void> {
  const results = [work.run()].flat();
  requireSamples(what, await read(...work.changed ?? results), work.samples(), toleranceOf(gpu.adapter));
  for (const each of results) each.dispose();
  gpu.flush();
}

import type { Tensors, Tolerance } from "./case.ts";

/** One tensor against its golden values. */
export interface Comparison {
  readonly name: string;
  /** max|a - ref|; NaN if there is something to compare with but it is not numbers of the same count. */
  readonly error: number;
  /** atol + rtol max|ref| */
  readonly bound: number;
  /** What is wrong other than a large error. */
  readonly problem?: string;
}

/** Tensors that share a tolerance. */
export interface Group {
  readonly name: string;
  readonly comparisons: readonly Comparison[];
}

/** Compares numbers; undefined stands for those that were not produced. */
export function compare(
  name: string,
  { actual, expected }: { actual: ArrayLike<number> | undefined; expected: ArrayLike<number> },
  { rtol, atol }: Tolerance,
): Comparison {
  let error = 0, largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual?.[i] ?? NaN) - (expected[i] ?? NaN));
    if (!(difference <= error)) error = difference;
    if (Number.isNaN(error)) break;
    largest = Math.max(largest, Math.abs(expected[i] ?? NaN));
  }
  const bound = atol + rtol * largest;
  if (!actual) return { name, error: NaN, bound, problem: "not produced" };
  if (actual.length !== expected.length) {
    return { name, error: NaN, bound, problem: `${actual.length} values for ${expected.length}` };
  }
  return Number.isNaN(error) ? { name, error, bound, problem: "not a number" } : { name, error, bound };
}

/** Compares every tensor of `expected` with the one of its name. */
export function compareAll(
  name: string,
  { actual, expected }: {
    actual: Tensors;
    expected: Tensors;
  },
  tolerance: Tolerance,
): Group {
  const comparisons = [...expected].map(([tensor, { values }]) =>
    compare(tensor, { actual: actual.get(tensor)?.values, expected: values }, tolerance)
  );
  return { name, comparisons };
}

/** Compares numbers by `||a - ref|| / ||ref||`; a reference of zeros by `||a||`. */
export function compareL2(
  name: string,
  { actual, expected }: { actual: ArrayLike<number>; expected: ArrayLike<number> },
  bound: number,
): Comparison {
  let difference = 0, length = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += ((actual[i] ?? NaN) - (expected[i] ?? NaN)) ** 2;
    length += (expected[i] ?? NaN) ** 2;
  }
  const error = Math.sqrt(difference / (length === 0 ? 1 : length));
  return Number.isNaN(error) ? { name, error, bound, problem: "not a number" } : { name, error, bound };
}

export function passed({ error, bound, problem }: Comparison): boolean {
  return problem === undefined && error <= bound;
}

/** The error in units of its bound: up to 1 passes. */
function ratio({ error, bound }: Comparison): number {
  if (Number.isNaN(error)) return Infinity;
  return error === 0 ? 0 : error / bound;
}

/** The tensor nearest to its bound, or furthest beyond. */
function worst({ comparisons }: Group): Comparison | undefined {
  return comparisons.reduce<Comparison | undefined>(
    (most, each) => !most || (passed(most) && !passed(each)) || ratio(each) > ratio(most) ? each : most,
    undefined,
  );
}

/** `forward 0.0021 (out: 1.2e-6 <= 5.6e-4)`: the worst error in units of its bound, then both. */
export function describe(group: Group): string {
  const most = worst(group);
  if (!most) return `${group.name} empty`;
  const { name, error, bound, problem } = most;
  const failures = group.comparisons.filter((each) => !passed(each)).length;
  const count = failures > 0 ? ` ${failures} of ${group.comparisons.length} fail, worst` : "";
  if (problem) return `${group.name}${count} (${name}: ${problem})`;
  const sign = passed(most) ? "<=" : ">";
  return `${group.name}${count} ${short(ratio(most))} (${name}: ${short(error)} ${sign} ${short(bound)})`;
}

function short(value: number): string {
  return value === 0 || !Number.isFinite(value) ? String(value) : value.toExponential(1);
}

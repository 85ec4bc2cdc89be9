import type { Gpu, Tape, Tensor } from "@fluxsr/kernels";
import { picks } from "./random.ts";

/** Element `at` of a result, as the f64 reference has it. */
export interface Sample {
  /** Which result, of an op that has several; default the first, 0. */
  readonly result?: number;
  readonly at: number;
  readonly expected: number;
}

/** An op on inputs that are on the GPU. */
export interface Work {
  readonly inputs: readonly Tensor[];
  /** What the op goes back through, if it is a backward pass; open until it is closed. */
  readonly tape?: Tape;
  /** What the op changes in place, if it does: its results, which are among the inputs. */
  readonly changed?: readonly Tensor[];
  /** Records the op once; what it returns is disposed of. */
  run(): Tensor | readonly Tensor[];
  /** What some elements of the result must be. */
  samples(): Iterable<Sample>;
}

/** One op at one shape, not yet on the GPU. */
export interface Case {
  /** `op/name`, as the table shows it. */
  readonly name: string;
  readonly shape: string;
  /** Where the shape is from. */
  readonly origin: string;
  /** Floating-point operations, an addition and a multiplication counting one each; left out where memory decides. */
  readonly flops?: number;
  /** Every input read once, every output written once. */
  readonly bytes: number;
  open(gpu: Gpu): Work;
}

/** Samples of a result that is known as a whole. */
export function someOf(values: ArrayLike<number>): Sample[] {
  return picks(values.length, 64).map((at) => ({ at, expected: values[at]! }));
}

/** Samples of several results, in their order. */
export function* ofResults(results: readonly Iterable<Sample>[]): Generator<Sample> {
  for (const [result, samples] of results.entries()) {
    for (const sample of samples) yield { ...sample, result };
  }
}

/** A named shape and where it is from; `scaled` is what a software adapter can do of it in a second or two. */
export type Row<S> = S & { readonly name: string; readonly origin: string; readonly scaled?: Partial<S> };

/** The shape of `row` that suits the adapter. */
export function fit<S>(row: Row<S>, { software }: { software: boolean }): Row<S> {
  return software ? { ...row, ...row.scaled } : row;
}

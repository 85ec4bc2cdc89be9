import type { Shape, Tensor } from "@fluxsr/kernels";
import { slope } from "../tests/reference/central_differences.ts";
import type { Case, Sample } from "./case.ts";
import { plainBackwardCase, plainCase } from "./plain.ts";
import { picks } from "./random.ts";

type Values = ArrayLike<number>;

/** An op whose result has a row for each row of its inputs. */
export interface Rows {
  readonly rows: number;
  /** Widths of the inputs' rows. */
  readonly widths: readonly number[];
  /** Which inputs have one row, for all. */
  readonly shared?: readonly number[];
  /** What becomes of a row of each input. */
  readonly reference: (...inputs: Values[]) => readonly number[];
}

/** All of some rows of the result. */
export function* rowSamples(op: Rows, values: readonly Float32Array[]): Generator<Sample> {
  for (const row of picks(op.rows, 16)) {
    const result = op.reference(...rowOf(op, values, row));
    for (const [i, expected] of result.entries()) yield { at: row * result.length + i, expected };
  }
}

/**
 * Some elements of the gradients of the first `wanted` inputs by central differences; the last of `values` is the gradient
 * of the result: a row for each, or one for all.
 */
export function* rowGradientSamples(op: Rows, values: readonly Float32Array[], wanted: number): Generator<Sample> {
  const dy = values.at(-1)!;
  const own = Math.min(dy.length, op.reference(...rowOf(op, values, 0)).length);
  const dyOf = (row: number) => dy.length === own ? dy : dy.subarray(row * own, (row + 1) * own);
  /** The slope of a row's share in the loss along element `i` of input `input`. */
  const along = (row: number, input: number, i: number) =>
    slope((distance) => {
      const inputs: Values[] = rowOf(op, values, row);
      const moved = Float64Array.from(inputs[input]!);
      moved[i]! += distance;
      const result = op.reference(...inputs.with(input, moved));
      return dyOf(row).reduce((sum, each, j) => sum + each * result[j]!, 0);
    });
  for (let result = 0; result < wanted; result++) {
    const width = op.widths[result]!;
    if (op.shared?.includes(result)) {
      for (const at of picks(width, 2)) {
        let expected = 0;
        for (let row = 0; row < op.rows; row++) expected += along(row, result, at);
        yield { result, at, expected };
      }
    } else {
      for (const row of picks(op.rows, 8)) {
        for (const i of picks(width, 4)) yield { result, at: row * width + i, expected: along(row, result, i) };
      }
    }
  }
}

/** Row `row` of every input. */
function rowOf({ widths, shared }: Rows, values: readonly Float32Array[], row: number): Float32Array[] {
  return widths.map((width, i) => {
    const start = shared?.includes(i) ? 0 : row * width;
    return values[i]!.subarray(start, start + width);
  });
}

/** An op that treats rows alike, in both passes. */
export interface RowOp extends Rows, Pick<Case, "origin" | "shape"> {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly Shape[];
  readonly run: (...inputs: Tensor[]) => Tensor;
  /** The shape of the result. */
  readonly result: Shape;
  /** How many of the inputs, the first ones, have gradients. */
  readonly wanted: number;
  /** What each pass must read and write, each element once. */
  readonly elements: { readonly forward: number; readonly backward: number };
}

/** The forward and the backward pass of the op. */
export function rowCases(op: RowOp): Case[] {
  const { name, shape, origin, inputs, run, result, wanted, elements } = op;
  return [
    plainCase({
      name: `${op.op}/${name}`,
      ...{ shape, origin, inputs, run },
      elements: elements.forward,
      samples: (...values) => rowSamples(op, values),
    }),
    plainBackwardCase({
      name: `${op.op}_backward/${name}`,
      ...{ shape, origin, wanted, run },
      inputs: [...inputs, result],
      elements: elements.backward,
      samples: (...values) => rowGradientSamples(op, values, wanted),
    }),
  ];
}

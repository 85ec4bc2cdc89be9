import { type Shape, sizeOf, type Tensor, tensor } from "@fluxsr/kernels";
import { backwardWork } from "./backward_work.ts";
import type { Case, Sample } from "./case.ts";
import { random } from "./random.ts";

/** An op on f32 tensors of any values. */
export interface Plain extends Pick<Case, "name" | "shape" | "origin" | "flops"> {
  /** What must be read and written, each element once. */
  readonly elements: number;
  readonly inputs: readonly Shape[];
  run(...inputs: Tensor[]): Tensor | readonly Tensor[];
  /** What some elements of the results must be for inputs of these values. */
  samples(...values: Float32Array[]): Iterable<Sample>;
}

/** The op as a case, on random values in [-1, 1). */
export function plainCase({ elements, inputs: shapes, run, samples, ...rest }: Plain): Case {
  return {
    ...rest,
    bytes: 4 * elements,
    open(gpu) {
      const values = shapes.map((shape, i) => random(sizeOf(shape), i + 1));
      const inputs = shapes.map((shape, i) => tensor(gpu, values[i]!, shape));
      return { inputs, run: () => run(...inputs), samples: () => samples(...values) };
    },
  };
}

/**
 * The backward pass of the op `run`, given the gradient of its result, which is the last of `inputs` and of the `samples`'
 * values (the last ones if it has several `results`): the gradients of the first `wanted` inputs, which are the results.
 */
export function plainBackwardCase(
  { elements, inputs: shapes, run, samples, wanted: count, results = 1, ...rest }: Plain & {
    readonly wanted: number;
    readonly results?: number;
  },
): Case {
  return {
    ...rest,
    bytes: 4 * elements,
    open(gpu) {
      const values = shapes.map((shape, i) => random(sizeOf(shape), i + 1));
      const tensors = shapes.map((shape, i) => tensor(gpu, values[i]!, shape));
      const [inputs, dys] = [tensors.slice(0, -results), tensors.slice(-results)];
      const [wanted, others] = [inputs.slice(0, count), inputs.slice(count)];
      return {
        ...backwardWork({ wanted, others, dys }, () => run(...inputs)),
        samples: () => samples(...values),
      };
    },
  };
}

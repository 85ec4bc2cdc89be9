import { type Gpu, openGpu, read, type Shape, sizeOf, type Tensor, tensor } from "@fluxsr/kernels";
import { expect } from "vitest";

/** The one GPU of a test file. No adapter at all is a failure, never a skip. */
export const gpu: Gpu = await openGpu();

/** Reproducible values, roughly uniform in [-1, 1). */
export function random(shape: Shape, seed = 1): Float32Array<ArrayBuffer> {
  let state = (seed * 2654435761) >>> 0;
  return Float32Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** A tensor of {@linkcode random} values and those values. */
export function randomTensor(shape: Shape, seed = 1, on = gpu): { data: Float32Array<ArrayBuffer>; tensor: Tensor } {
  const data = random(shape, seed);
  return { data, tensor: tensor(on, data, shape) };
}

/** The largest difference relative to the largest expected value; NaN if one of them is. */
export function scaledError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN)));
    largest = Math.max(largest, Math.abs(expected[i] ?? NaN));
  }
  return worst / Math.max(largest, 1e-30);
}

/** f32 sums of a few thousand terms in another order stay within this of an f64 reference. */
export const F32 = 2e-5;

/** Asserts that a tensor equals the reference up to {@linkcode F32} of the largest expected value. */
export async function expectClose(actual: Tensor, expected: ArrayLike<number>, tolerance = F32): Promise<void> {
  const [values] = await read(actual);
  expect(scaledError(values ?? [], expected)).toBeLessThan(tolerance);
}

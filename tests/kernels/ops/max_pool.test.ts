import { gradients, maxPool, read, Tape, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";
import { maxPool as reference } from "../../reference/layout.ts";

/** A single window, odd sizes with a row or column left over, batch 2, one more than a workgroup of channels. */
const SHAPES = [[1, 2, 2, 1], [1, 3, 2, 3], [2, 7, 5, 4], [2, 4, 9, 65]];

test.each(SHAPES.map((shape) => [shape]))("maxPool() and its gradient for shape %j", async (shape) => {
  await expectGradients({ x: shape }, { op: ({ x }) => maxPool(x!), reference: ({ x }) => reference(x!, shape) });
});

test("maxPool() gives the gradient to the first of several largest", async () => {
  // Windows side by side: all alike; the largest above right and below left; below left and below right; negative.
  const x = tensor(gpu, Float32Array.of(0, 0, 1, 2, -1, 0, -5, -4, 0, 0, 2, 0, 3, 3, -4, -3), [1, 2, 8, 1]);
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = maxPool(x);
  const seed = tensor(gpu, Float32Array.of(1, 2, 3, 4), [1, 1, 4, 1]);
  const [values, dx] = await read(y, ...gradients(tape, y, { seed, wanted: [x] }));
  expect([...values!]).toEqual([0, 2, 3, -3]);
  expect([...dx!]).toEqual([1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 4]);
});

test("maxPool() refuses what has no window", () => {
  expect(() => maxPool(randomTensor([2, 3]).tensor)).toThrow("x must be [B, h, w, C]: it is [2, 3]");
  expect(() => maxPool(randomTensor([1, 1, 5, 3]).tensor)).toThrow("at least 2x2 pixels: it is [1, 1, 5, 3]");
});

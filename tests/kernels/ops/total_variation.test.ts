import { gradients, read, Tape, tensor, totalVariation } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { totalVariation as reference } from "../../reference/perceptual.ts";

/** A pixel, a row, a column, primes, batch 2, more than a workgroup. */
const SHAPES = [[1, 1, 1, 1], [1, 1, 7, 2], [1, 5, 1, 3], [2, 3, 5, 3], [2, 7, 11, 1]];

test.each(SHAPES.map((shape) => [shape]))("totalVariation() and its gradient for shape %j", async (shape) => {
  await expectGradients({ x: shape }, {
    op: ({ x }) => totalVariation(x!),
    reference: ({ x }) => reference(x!, shape),
  });
});

test("totalVariation() of a constant picture is 0, and so is its gradient", async () => {
  const shape = [2, 4, 3, 2];
  const x = tensor(gpu, new Float32Array(48).fill(0.3), shape);
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = totalVariation(x);
  const [dx] = gradients(tape, y, { seed: randomTensor(shape).tensor, wanted: [x] });
  await expectClose(y, new Float32Array(48));
  expect((await read(dx!))[0]!.every((value) => value === 0)).toBe(true);
});

test("totalVariation() refuses what is not a picture", () => {
  expect(() => totalVariation(randomTensor([2, 3]).tensor)).toThrow("x must be [B, h, w, C]: it is [2, 3]");
});

import { gradients, multiply, permute, read, sum, Tape } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/layout.ts";

/** Rank 1 to 5; the last axis moves, stays, stays in groups of four. */
const CASES = [
  { shape: [7], axes: [0] },
  { shape: [65, 3], axes: [1, 0] },
  { shape: [2, 3, 5], axes: [2, 0, 1] },
  { shape: [2, 7, 3, 5], axes: [0, 2, 1, 3] },
  { shape: [2, 7, 3, 8], axes: [0, 2, 1, 3] },
  { shape: [2, 3, 5, 2, 3], axes: [4, 2, 0, 3, 1] },
  { shape: [2, 3, 5, 2, 4], axes: [3, 1, 0, 2, 4] },
];

test.each(CASES)("permute() matches the reference for $shape by $axes", async ({ shape, axes }) => {
  const x = randomTensor(shape);
  const y = permute(x.tensor, axes);
  expect(y.shape).toEqual(axes.map((axis) => shape[axis]));
  await expectClose(y, reference.permute(x.data, { shape, axes }), 1e-30);
});

test("permute() has the right gradient", async () => {
  const axes = [2, 0, 1];
  const [x, v] = [1, 2].map((seed) => randomTensor([2, 3, 5], seed).tensor);
  const seed = randomTensor([5, 2, 3], 3).tensor;
  using tape = new Tape(gpu);
  tape.watch(x!);
  const [dx] = gradients(tape, permute(x!, axes), { seed, wanted: [x!] });
  // The op is linear: the gradient is dx if sum(seed * permute(v)) = sum(dx * v) for any v.
  const [left, right] = await read(sum(multiply(seed, permute(v!, axes))), sum(multiply(dx!, v!)));
  expect(right![0]).toBeCloseTo(left![0]!, 4);
});

test.each([[[0]], [[0, 0]], [[0, 2]], [[0, 1, 2]]])("permute() refuses axes %j of a matrix", (axes) => {
  const x = randomTensor([2, 3]).tensor;
  expect(() => permute(x, axes)).toThrow("axes must name each axis of [2, 3] once");
});

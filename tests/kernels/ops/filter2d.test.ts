import { filter2d, gradients, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/degradation.ts";

/** Some narrower than the kernels, which then reach over the edge more than once. */
const SHAPES = [[1, 1, 1, 1], [2, 1, 5, 3], [2, 5, 7, 3], [1, 17, 65, 1], [1, 9, 4, 5]] as const;
const SIZES = [[1, 1], [3, 3], [7, 5], [1, 51], [51, 1], [21, 21]] as const;

describe.each(SHAPES.map((shape) => [shape]))("for shape %j", (shape) => {
  test.each(SIZES.map((size) => [size]))("filter2d() with %j taps matches the reference", async (size) => {
    const x = randomTensor(shape);
    const taps = randomTensor(size, 2);
    await expectClose(filter2d(x.tensor, taps.tensor), reference.filter2d(x.data, { shape, taps: taps.data, size }));
  });
});

test("filter2d() does not flip the kernel", async () => {
  const x = randomTensor([1, 1, 4, 1]);
  const taps = tensor(gpu, Float32Array.of(0, 0, 1), [1, 3]);
  const [a, b, c, d] = x.data;
  await expectClose(filter2d(x.tensor, taps), [b!, c!, d!, c!], 1e-12);
  expect(a).not.toBe(b);
});

test("filter2d() refuses kernels without a middle, and has no gradient", () => {
  const x = randomTensor([1, 4, 4, 1]).tensor;
  const taps = randomTensor([3, 2]).tensor;
  expect(() => filter2d(x, taps)).toThrow("taps must be an f32 matrix of odd sizes: it is f32 [3, 2]");
  expect(() => filter2d(x, randomTensor([3]).tensor)).toThrow("taps must be an f32 matrix of odd sizes");
  expect(() => filter2d(taps, taps)).toThrow("x must be [B, h, w, C]");
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = filter2d(x, randomTensor([1, 1]).tensor);
  expect(() => gradients(tape, y, { seed: y, wanted: [x] })).toThrow("filter2d");
});

import { gradients, multiply, read, sum, Tape, upsampleNearest } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { upsampleNearest as reference } from "../../reference/layout.ts";

const SHAPES = [[1, 1, 1, 1], [2, 3, 5, 3], [2, 7, 2, 8], [1, 13, 11, 65]];

test.each(SHAPES.map((shape) => [shape]))("upsampleNearest() matches the reference for shape %j", async (shape) => {
  const x = randomTensor(shape);
  await expectClose(upsampleNearest(x.tensor), reference(x.data, shape), 1e-30);
});

test.each([[[2, 3, 5, 3]], [[1, 2, 3, 4]]])("upsampleNearest() has the right gradient for shape %j", async (shape) => {
  const [batches = 0, height = 0, width = 0, channels = 0] = shape;
  const x = randomTensor(shape, 1);
  const seed = randomTensor([batches, 2 * height, 2 * width, channels], 2);
  using tape = new Tape(gpu);
  tape.watch(x.tensor);
  const y = upsampleNearest(x.tensor);
  const [dx] = gradients(tape, y, { seed: seed.tensor, wanted: [x.tensor] });
  // The op is linear: the gradient is dx if sum(seed * upsample(v)) = sum(dx * v) for any v.
  const v = randomTensor(shape, 3).tensor;
  const [left, right] = await read(sum(multiply(seed.tensor, upsampleNearest(v))), sum(multiply(dx!, v)));
  expect(right![0]).toBeCloseTo(left![0]!, 4);
});

test("upsampleNearest() refuses what is not a picture", () => {
  expect(() => upsampleNearest(randomTensor([2, 3]).tensor)).toThrow("x must be [B, h, w, C]: it is [2, 3]");
});

import { l2Pool } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import { l2Pooled } from "../../reference/perceptual.ts";

/** One pixel, odd and even sides, batch 2, one more than a workgroup of channels, fours. */
const SHAPES = [[1, 1, 1, 1], [1, 2, 3, 3], [2, 7, 4, 65], [2, 6, 9, 8]];

test.each(SHAPES.map((shape) => [shape]))("l2Pool() of shape %j", async (shape) => {
  const { data, tensor } = randomTensor(shape);
  const expected = l2Pooled({ shape, values: data });
  const y = l2Pool(tensor);
  expect(y.shape).toEqual(expected.shape);
  await expectClose(y, expected.values);
});

test("l2Pool() refuses what is no picture, and leaves no memory behind", () => {
  const x = randomTensor([2, 3, 4]).tensor;
  expect(() => l2Pool(x)).toThrow("x must be [B, h, w, C]: it is [2, 3, 4]");
  const picture = randomTensor([1, 4, 4, 4]).tensor;
  const before = gpu.memory.live;
  l2Pool(picture).dispose();
  expect(gpu.memory.live).toBe(before);
});

import { exceeds, quantize, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";

/** The nearest whole number, of two as near the even one. */
function roundToEven(value: number): number {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + low % 2 : Math.round(value);
}

test.each([[[1]], [[3, 65]], [[2, 5, 7, 3]]])(
  "quantize() of shape %j gives the nearest of 256 levels",
  async (shape) => {
    const values = random(shape).map((value) => 1.3 * value);
    const expected = values.map((value) => Math.min(1, Math.max(0, roundToEven(Math.fround(255 * value)) / 255)));
    await expectClose(quantize(tensor(gpu, values, shape)), expected, 1e-7);
  },
);

test("quantize() keeps the levels, and rounds ties to the even one", async () => {
  const levels = Float32Array.from({ length: 256 }, (_, i) => i / 255);
  await expectClose(quantize(tensor(gpu, levels, [256])), levels, 1e-7);
  // 255 (k + 1/2) / 255 is exact in f32 for these.
  const ties = Float32Array.of(0.5, 127.5);
  await expectClose(quantize(tensor(gpu, ties.map((value) => value / 255), [2])), [0, 128 / 255], 1e-7);
});

test("exceeds() marks magnitudes above the limit", async () => {
  const x = tensor(gpu, Float32Array.of(-3, -2, -1.5, 0, 1.5, 2, 2.0001), [7]);
  await expectClose(exceeds(x, 2), [1, 0, 0, 0, 0, 0, 1], 1e-12);
  const y = randomTensor([5, 13]);
  await expectClose(exceeds(y.tensor, 0.5), y.data.map((value) => Number(Math.abs(value) > 0.5)), 1e-12);
  expect(exceeds(y.tensor, 0.5).shape).toEqual([5, 13]);
});

import { tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { sharpen } from "../../../../packages/train/data/degradation/usm.ts";
import { expectClose, gpu } from "../../../helpers/gpu.ts";
import { filter2d } from "../../../reference/degradation.ts";

/** An edge, a ramp and a little noise; narrower than half the kernel in one direction. */
const SHAPE = [2, 9, 31, 3] as const;
const picture = Float32Array.from({ length: 2 * 9 * 31 * 3 }, (_, i) => {
  const column = Math.floor(i / 3) % 31;
  return (column < 15 ? 0.2 : 0.7) + 0.2 * column / 31 + 0.01 * Math.sin(12.9898 * i);
});

test.each([
  { size: 51, sigma: 8, weight: 0.5, threshold: 10 },
  { size: 7, sigma: 1.5, weight: 2, threshold: 30 },
  { size: 5, sigma: 1, weight: 1, threshold: 0 },
])("sharpen() is its formula with %j", async (options) => {
  const { size, sigma, weight, threshold } = options;
  const half = (size - 1) / 2;
  const gaussian = Array.from({ length: size * size }, (_, i) => {
    const [x, y] = [i % size - half, Math.floor(i / size) - half];
    return Math.exp(-(x * x + y * y) / (2 * sigma ** 2));
  });
  const sum = gaussian.reduce((total, value) => total + value, 0);
  const blur = (x: ArrayLike<number>) =>
    filter2d(x, { shape: SHAPE, taps: gaussian.map((value) => value / sum), size: [size, size] });
  const blurred = blur(picture);
  const residual = Array.from(picture, (value, i) => value - blurred[i]!);
  const soft = blur(residual.map((value) => Number(255 * Math.abs(value) > threshold)));
  const expected = Array.from(picture, (value, i) => {
    const sharp = Math.min(1, Math.max(0, value + weight * residual[i]!));
    return soft[i]! * sharp + (1 - soft[i]!) * value;
  });
  expect(soft.some((value) => value > 0)).toBe(true);
  await expectClose(sharpen(tensor(gpu, picture, SHAPE), options), expected);
});

test("sharpen() leaves a picture alone where it is as its blur", async () => {
  const flat = Float32Array.from(picture, (value) => 0.3 + 0.01 * value);
  await expectClose(sharpen(tensor(gpu, flat, SHAPE), { size: 51, sigma: 8, weight: 0.5, threshold: 10 }), flat, 1e-7);
});

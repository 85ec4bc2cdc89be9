import type { Rgb8 } from "@fluxsr/core";
import { expect, test } from "vitest";
import { degradedPairs } from "../../../../packages/train/data/degradation/degraded_pairs.ts";
import { readDegradation } from "../../../../packages/train/data/degradation/parameters.ts";
import type { Pictures } from "../../../../packages/train/data/pictures.ts";
import { gradient } from "../../../core/image/pictures.ts";
import { gpu } from "../../../helpers/gpu.ts";

const PARAMETERS = await readDegradation();

function picture(width: number, height: number): Rgb8 {
  return { width, height, rgb: gradient(width, height) };
}

const pictures: Pictures = {
  count: 2,
  picture: (i) =>
    Promise.resolve(i === 0 ? { name: "wide", ...picture(39, 26) } : { name: "high", ...picture(25, 41) }),
};

const make = (options: { count: number; size?: number; seed?: number; parameters?: typeof PARAMETERS }) =>
  Array.fromAsync(degradedPairs(gpu, { pictures, parameters: PARAMETERS, scale: 4, seed: 1, ...options }));

const sizeOf = ({ width, height }: Rgb8) => [width, height];

test("degradedPairs() takes every picture once, cut to a multiple of the scale, and leaves it as it is", async () => {
  const pairs = await make({ count: 2 });
  const sizes = Object.fromEntries(pairs.map(({ name, low, truth }) => [name, [sizeOf(low), sizeOf(truth)]]));
  expect(sizes).toEqual({ wide: [[9, 6], [36, 24]], high: [[6, 10], [24, 40]] });
  const { truth, degradation } = pairs.find(({ name }) => name === "wide")!;
  const whole = picture(39, 26).rgb;
  for (let y = 0; y < 24; y++) {
    expect(truth.rgb.subarray(y * 36 * 3, (y + 1) * 36 * 3)).toEqual(whole.subarray(y * 39 * 3, (y * 39 + 36) * 3));
  }
  expect(degradation.sharpen).toBeNull();
  expect(degradation.stages).toHaveLength(2);
});

test("degradedPairs() makes crops, and the same again for the same seed alone", async () => {
  const pairs = await make({ count: 3, size: 24 });
  for (const { low, truth } of pairs) expect([sizeOf(low), sizeOf(truth)]).toEqual([[6, 6], [24, 24]]);
  expect(await make({ count: 3, size: 24 })).toEqual(pairs);
  expect(await make({ count: 3, size: 24, seed: 2 })).not.toEqual(pairs);
  const first = await make({ count: 1, parameters: { ...PARAMETERS, second_order_prob: 0 } });
  expect(first[0]!.degradation.stages).toHaveLength(1);
});

test("degradedPairs() keep what a mild degradation leaves", async () => {
  const stage = { blur_prob: 0, resize_prob: { up: 0, down: 0, keep: 1 }, noise_range: [0, 0], jpeg_range: [100, 100] };
  const first = { ...PARAMETERS.first, ...stage, gaussian_noise_prob: 1 } as typeof PARAMETERS.first;
  const parameters = { ...PARAMETERS, first, second_order_prob: 0, final_sinc_prob: 0 };
  const [pair] = await make({ count: 1, parameters });
  const mean = ({ rgb }: Rgb8) => rgb.reduce((sum, value) => sum + value, 0) / rgb.length;
  expect(Math.abs(mean(pair!.low) - mean(pair!.truth))).toBeLessThan(3);
});

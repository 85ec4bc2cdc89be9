import { read, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { addField, addNoise, type Noise } from "../../../../packages/train/data/degradation/noise.ts";
import { expectClose, gpu, random } from "../../../helpers/gpu.ts";

const COUNT = 1 << 14;
const SHAPE = [1, 128, 128, 3] as const;
const COLOUR = [0.3, 0.5, 0.6];

/** What noise does to a picture of one colour, but for a line of all levels: for each channel the differences. */
async function differences(noise: Noise): Promise<[number[], number[], number[]]> {
  const picture = Float32Array.from({ length: 3 * COUNT }, (_, i) => COLOUR[i % 3]!);
  for (let level = 0; level < 256; level++) picture.fill(level / 255, 3 * level, 3 * level + 3);
  const [noisy] = await read(addNoise(tensor(gpu, picture, SHAPE), noise));
  const channel = (c: number) =>
    Array.from({ length: COUNT - 256 }, (_, i) => noisy![3 * (i + 256) + c]! - picture[3 * (i + 256) + c]!);
  return [channel(0), channel(1), channel(2)];
}

function statistics(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
}

/** Five standard errors of the mean, and of the variance of a distribution with normal tails. */
function expectStatistics(values: readonly number[], variance: number): void {
  const found = statistics(values);
  expect(Math.abs(found.mean)).toBeLessThan(5 * Math.sqrt(variance / values.length));
  expect(Math.abs(found.variance / variance - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const covariance = a.reduce((sum, value, i) => sum + value * b[i]!, 0) / a.length;
  return covariance / Math.sqrt(statistics(a).variance * statistics(b).variance);
}

describe("Gaussian noise", () => {
  test("has mean 0 and its sigma, apart in each channel", async () => {
    const channels = await differences({ type: "gaussian", gray: false, seed: 3, sigma: 12 });
    for (const channel of channels) expectStatistics(channel, (12 / 255) ** 2);
    expect(Math.abs(correlation(channels[0], channels[1]))).toBeLessThan(5 / Math.sqrt(COUNT));
  });

  test("is the same in all channels if it is gray", async () => {
    const [r, g, b] = await differences({ type: "gaussian", gray: true, seed: 3, sigma: 12 });
    expectStatistics(r, (12 / 255) ** 2);
    r.forEach((value, i) => expect(Math.max(Math.abs(value - g[i]!), Math.abs(value - b[i]!))).toBeLessThan(1e-6));
  });
});

describe("Poisson noise", () => {
  const levels = COLOUR.map((value) => Math.round(255 * value) / 255);

  test("has mean 0 and the variance of 256 photons for white, times its scale squared", async () => {
    const channels = await differences({ type: "poisson", gray: false, seed: 4, scale: 0.7 });
    // The mean is that of the colour in 8 bits, which it is added to.
    channels.forEach((channel, c) => expectStatistics(channel, 0.49 * levels[c]! / 256));
    expect(Math.abs(correlation(channels[0], channels[1]))).toBeLessThan(5 / Math.sqrt(COUNT));
  });

  test("is that of the luma in all channels if it is gray", async () => {
    const [r, g, b] = await differences({ type: "poisson", gray: true, seed: 4, scale: 0.7 });
    const luma = Math.round(255 * (0.2989 * COLOUR[0]! + 0.587 * COLOUR[1]! + 0.114 * COLOUR[2]!)) / 255;
    expectStatistics(r, 0.49 * luma / 256);
    r.forEach((value, i) => expect(Math.max(Math.abs(value - g[i]!), Math.abs(value - b[i]!))).toBeLessThan(1e-6));
  });
});

test("addField() limits the result, and repeats a field of one channel", async () => {
  const shape = [2, 3, 5, 3] as const;
  const x = random(shape).map(Math.abs);
  const colour = random(shape, 2);
  const gray = random([2, 3, 5, 1], 3);
  const clip = (value: number) => Math.min(1, Math.max(0, value));
  const picture = tensor(gpu, x, shape);
  await expectClose(
    addField(picture, tensor(gpu, colour, shape), 0.8),
    x.map((value, i) => clip(value + 0.8 * colour[i]!)),
  );
  await expectClose(
    addField(picture, tensor(gpu, gray, [2, 3, 5, 1]), 0.8),
    x.map((value, i) => clip(value + 0.8 * gray[Math.floor(i / 3)]!)),
  );
});

import { poissonLevels, poissonNoise, read, tensor } from "@fluxsr/kernels";
import { beforeAll, describe, expect, test } from "vitest";
import { gpu, random } from "../../helpers/gpu.ts";
import * as reference from "../../reference/noise.ts";

const upload = (values: ArrayLike<number>) => tensor(gpu, Float32Array.from(values), [values.length]);

async function levels(values: ArrayLike<number>): Promise<number> {
  const [[count] = []] = await read(poissonLevels(upload(values)));
  return count!;
}

test.each([
  [[0.301], 1],
  [[0.301, 0.3002, 0.3009], 1],
  [[0, 1], 2],
  [[0, 0.5, 1], 4],
  [[0, 1, -1, 2], 2],
])("poissonLevels(%j) is %i", async (values, count) => {
  expect(await levels(values)).toBe(count);
});

test.each([[4, 4], [5, 8], [33, 64], [128, 128], [129, 256], [256, 256]])(
  "%i levels count as %i, wherever they are",
  async (count, rounded) => {
    const values = Array.from({ length: 3 * 997 }, (_, i) => ((i * 7) % count) * Math.floor(255 / (count - 1)) / 255);
    expect(await levels(values)).toBe(rounded);
  },
);

/** Pixels of one value in a picture that has all levels, so that white is 256 photons; the noise of those pixels. */
async function noiseOf(value: number, { count, seed }: { count: number; seed: number }): Promise<Float32Array> {
  const ramp = Array.from({ length: 256 }, (_, i) => i / 255);
  const [values] = await read(poissonNoise(upload([...Array<number>(count).fill(value), ...ramp]), { seed }));
  return values!.subarray(0, count);
}

describe.each([[1], [3], [40], [128], [255]])("the noise at level %i", (level) => {
  const count = 1 << 16;
  const photons = 256 * level / 255;
  let values: number[] = [];
  beforeAll(async () => {
    const noise = await noiseOf(level / 255, { count, seed: 5 });
    values = Array.from(noise, (value) => 256 * value + photons);
  });

  test("is that of whole numbers of photons", () => {
    // In f32, 256 photons are told to within 3e-5.
    expect(Math.max(...values.slice(0, 4096).map((value) => Math.abs(value - Math.round(value))))).toBeLessThan(1e-4);
    expect(Math.min(...values.slice(0, 4096))).toBeGreaterThan(-1e-4);
  });

  test("has the moments of Poisson's distribution", () => {
    const moment = (power: number) => values.reduce((sum, value) => sum + (value - photons) ** power, 0) / count;
    // Five standard errors of the mean, the variance and the third central moment, each of which is the mean.
    const root = Math.sqrt(count);
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(photons) / root);
    expect(Math.abs(moment(2) - photons)).toBeLessThan(5 * Math.sqrt(photons + 2 * photons ** 2) / root);
    expect(Math.abs(moment(3) - photons)).toBeLessThan(5 * Math.sqrt(15 * photons ** 3 + 100 * photons ** 2) / root);
  });

  test("has no outliers: the largest of 65536 lies within six standard deviations", () => {
    const deviation = values.reduce((most, value) => Math.max(most, Math.abs(value - photons)), 0);
    expect(deviation).toBeLessThan(6 * Math.sqrt(photons) + 3);
  });
});

test("poissonNoise() inverts the distribution at the words of Philox", async () => {
  const x = random([515]).map((value) => Math.abs(value));
  const [noise] = await read(poissonNoise(upload(x), { seed: 9 }));
  const n = await levels(x);
  let same = 0;
  x.forEach((value, i) => {
    same += Number(Math.abs(noise![i]! - reference.poisson(value, i, { levels: n, seed: 9 })) < 1e-5);
  });
  // A word that falls between two photons by less than f32 resolves may go either way.
  expect(same).toBeGreaterThanOrEqual(514);
});

test("poissonNoise() of black is 0, and the same for the same seed alone", async () => {
  const [black, a, b, c] = await read(
    poissonNoise(upload([0, 0, 0]), { seed: 1 }),
    ...[1, 1, 2].map((seed) => poissonNoise(upload(random([333]).map(Math.abs)), { seed })),
  );
  expect([...black!]).toEqual([0, 0, 0]);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
  expect(() => poissonNoise(upload([1]), { seed: -1 })).toThrow('param "seed" must be a valid u32');
  expect(() => poissonNoise(upload([]), { seed: 1 })).toThrow("x must have elements");
});

import type { Autoencoder } from "@fluxsr/core";
import { read, scale, type Tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { parseDegradation } from "../../../packages/train/data/degradation/parameters.ts";
import type { Pairs } from "../../../packages/train/data/pairs/pairs.ts";
import { ftdBatch, type FtdSource } from "../../../packages/train/ftd/ftd_data.ts";
import { gpu } from "../../helpers/gpu.ts";

const SIZE = 32;
const COUNT = 6;

/** Pairs whose numbers tell which they are: pictures are of one grey each. */
const PAIRS: Pick<Pairs, "count" | "size" | "pair"> = {
  count: COUNT,
  size: SIZE,
  pair: (i) =>
    Promise.resolve({
      number: i,
      eps: new Float32Array(12).fill(i + 0.5),
      z_0: new Float32Array(12).fill(-i),
      shape: [2, 2, 3],
      x_0: { width: SIZE, height: SIZE, rgb: new Uint8Array(SIZE * SIZE * 3).fill(grey(i)) },
      prompt: 0,
    }),
};

function grey(i: number): number {
  return 60 + 20 * i;
}

const SOURCE: FtdSource = {
  gpu,
  // Its latents are the pictures.
  autoencoder: {
    factor: 1,
    encode: ([x]: readonly Tensor[]) => [x!],
    decode: ([z]: readonly Tensor[]) => [scale(z!, 0.5)],
  } as unknown as Autoencoder,
  pairs: PAIRS as Pairs,
  degradation: parseDegradation({ clean_prob: 1, sharpen: null }),
  scale: 4,
  T_L: 0.3,
  seed: 5,
  batchSize: 2,
  parts: 2,
  decodeCrop: 16,
  residual: false,
};

/** A batch, read and freed. */
async function batchOf(index: { step: number; part: number }, source = SOURCE) {
  const { eps, z_0, z_L, x_0, samples, t, window, ...rest } = await ftdBatch(source, index);
  const shapes = [eps, z_0, z_L, x_0].map(({ shape }) => shape);
  const values = await read(eps, z_0, z_L, x_0);
  rest[Symbol.dispose]!();
  return { samples, t, window, shapes, values };
}

test("a batch has the pairs of its samples, the enlarged LR's latent and the picture", async () => {
  const live = gpu.memory.live;
  const { samples, shapes, values: [eps, z_0, z_L, x_0] } = await batchOf({ step: 1, part: 1 });
  expect(shapes).toEqual([[2, 2, 2, 3], [2, 2, 2, 3], [2, SIZE, SIZE, 3], [2, SIZE, SIZE, 3]]);
  for (const [i, sample] of samples.entries()) {
    const number = Number(/^pair (\d)$/.exec(sample)![1]);
    expect([eps![i * 12], z_0![i * 12]]).toEqual([number + 0.5, -number]);
    const at = i * SIZE * SIZE * 3 + 1000;
    expect(x_0![at]).toBeCloseTo(2 * grey(number) / 255 - 1, 5);
    // A picture of one grey is that still, made smaller, compressed and enlarged.
    expect(Math.abs(z_L![at]! - x_0![at]!)).toBeLessThan(0.02);
  }
  expect(gpu.memory.live).toBe(live);
});

test("an epoch has every pair once, steps and parts in turn", async () => {
  const indices = [[0, 0], [0, 1], [1, 0]] as const;
  const batches = await Promise.all(indices.map(([step, part]) => batchOf({ step, part })));
  expect(batches.flatMap(({ samples }) => samples).sort()).toEqual([...Array(COUNT).keys()].map((i) => `pair ${i}`));
});

test("times are uniform in [T_L, 1], windows lie inside, and an index gives the same batch again", async () => {
  const batches = await Promise.all([...Array(40).keys()].map((step) => batchOf({ step, part: 0 })));
  const times = batches.flatMap(({ t }) => [...t]);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(0.3);
  expect(Math.max(...times)).toBeLessThanOrEqual(1);
  expect([Math.min(...times) < 0.36, Math.max(...times) > 0.94]).toEqual([true, true]);
  expect(Math.abs(times.reduce((sum, t) => sum + t, 0) / times.length - 0.65)).toBeLessThan(0.08);
  for (const { window } of batches) {
    expect(window).toMatchObject({ height: 16, width: 16 });
    expect(Math.max(window!.top, window!.left)).toBeLessThanOrEqual(SIZE - 16);
    expect(Math.min(window!.top, window!.left)).toBeGreaterThanOrEqual(0);
  }
  expect(new Set(batches.map(({ window }) => window!.top)).size).toBeGreaterThan(5);
  expect(await batchOf({ step: 7, part: 0 })).toEqual(batches[7]);
});

test("with residual a batch has what the autoencoder loses of the enlarged picture, in the window", async () => {
  const live = gpu.memory.live;
  {
    using batch = await ftdBatch({ ...SOURCE, residual: true }, { step: 0, part: 0 });
    expect(batch.lost!.shape).toEqual([2, 16, 16, 3]);
    const [lost, z_L] = await read(batch.lost!, batch.z_L);
    // All of a picture is of one grey: its latent is the picture, and half of that is decoded.
    for (const i of [0, 1]) expect(lost![i * 16 ** 2 * 3 + 300]).toBeCloseTo(z_L![i * SIZE ** 2 * 3 + 1500]! / 2, 5);
  }
  expect(gpu.memory.live).toBe(live);
});

test("the picture is sharpened as the degradation says, and all of it is decoded without a crop", async () => {
  const edge = (i: number) => (i % (SIZE * 3) < SIZE * 3 / 2 ? 80 : 160);
  const pair: Pairs["pair"] = async (i) => {
    const made = await PAIRS.pair(i);
    return { ...made, x_0: { ...made.x_0, rgb: made.x_0.rgb.map((_, at) => edge(at)) } };
  };
  const pairs = { ...PAIRS, pair } as Pairs;
  const sharpen = { size: 51, sigma: 8, weight: 0.5, threshold: 10 };
  const plain = await batchOf({ step: 0, part: 0 }, { ...SOURCE, pairs, decodeCrop: undefined });
  const sharp = await batchOf({ step: 0, part: 0 }, {
    ...SOURCE,
    pairs,
    degradation: parseDegradation({ clean_prob: 1, sharpen }),
  });
  expect(plain.window).toBeUndefined();
  expect(new Set(plain.values[3]!.map((value) => Math.round((value + 1) * 127.5)))).toEqual(new Set([80, 160]));
  expect(Math.max(...sharp.values[3]!)).toBeGreaterThan(Math.max(...plain.values[3]!) + 0.02);
});

import { groupNorm, groupNormApply, groupNormStats, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/norm.ts";

/** One pixel, odd channels, primes, and groups of one and of many channels. */
const CASES = [
  { shape: [1, 1, 1, 1], groups: 1 },
  { shape: [2, 5, 13, 6], groups: 3 },
  { shape: [1, 7, 3, 32], groups: 32 },
  { shape: [2, 31, 37, 8], groups: 2 },
  { shape: [2, 3, 5, 64], groups: 4 },
] as const;

describe.each(CASES)("groupNorm() for $shape in $groups groups", ({ shape, groups }) => {
  const [batches, height, width, channels] = shape;
  const size = { batches, pixels: height * width, channels, groups };
  const x = randomTensor(shape, 1);
  const weight = randomTensor([channels], 2);
  const bias = randomTensor([channels], 3);

  test.each([[false], [true]])("matches the reference, SiLU %s", async (silu) => {
    await expectClose(
      groupNorm(x.tensor, { groups, weight: weight.tensor, bias: bias.tensor, silu }),
      reference.groupNorm(x.data, { ...size, weight: weight.data, bias: bias.data, activate: silu }),
    );
  });
});

/** Next to 100 neighbouring f32 are 7.6e-6 apart, which is 8e-5 of the deviation: the mean cannot be closer. */
const OFFSET = 2e-4;

test("groupNorm() keeps its precision for mean 100 and deviation 0.1", async () => {
  const shape = [1, 60, 50, 8] as const;
  const data = random(shape).map((value) => 100 + 0.1 * Math.sqrt(3) * value);
  const weight = randomTensor([8], 2);
  const bias = randomTensor([8], 3);
  await expectClose(
    groupNorm(tensor(gpu, data, shape), { groups: 2, weight: weight.tensor, bias: bias.tensor }),
    reference.groupNorm(data, {
      batches: 1,
      pixels: 3000,
      channels: 8,
      groups: 2,
      weight: weight.data,
      bias: bias.data,
    }),
    OFFSET,
  );
});

test("groupNormApply() normalises a tile with the statistics of the whole", async () => {
  const whole = randomTensor([1, 6, 5, 4], 1);
  const weight = randomTensor([4], 2);
  const bias = randomTensor([4], 3);
  const tile = tensor(gpu, whole.data.slice(0, 2 * 5 * 4), [1, 2, 5, 4]);
  const stats = groupNormStats(whole.tensor, { groups: 2 });
  const expected = reference.groupNorm(whole.data, {
    batches: 1,
    pixels: 30,
    channels: 4,
    groups: 2,
    weight: weight.data,
    bias: bias.data,
    eps: 1e-3,
  });
  await expectClose(
    groupNormApply(tile, { stats, weight: weight.tensor, bias: bias.tensor, eps: 1e-3 }),
    expected.slice(0, 40),
  );
});

test("groupNorm() refuses wrong shapes", () => {
  const x = randomTensor([2, 2, 2, 6]).tensor;
  const six = randomTensor([6]).tensor;
  const five = randomTensor([5]).tensor;
  const stats = randomTensor([1, 2, 3]).tensor;
  expect(() => groupNorm(x, { groups: 4, weight: six, bias: six })).toThrow("groups must divide the 6 channels");
  expect(() => groupNorm(x, { groups: 3, weight: six, bias: five })).toThrow("bias must be [6]: it is [5]");
  expect(() => groupNormApply(x, { stats, weight: six, bias: six })).toThrow("stats must be [2, 2, 3]");
});

import { groupNormStats, meanStd, read, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { groupMoments } from "../../reference/norm.ts";

/** One pixel, rows of unequal numbers of pixels, joined once and more often, groups of one and of many channels. */
const CASES = [
  { shape: [1, 1, 1, 1], groups: 1 },
  { shape: [2, 5, 13, 6], groups: 3 },
  { shape: [1, 8, 8, 32], groups: 32 },
  { shape: [2, 31, 37, 8], groups: 2 },
  { shape: [1, 200, 100, 12], groups: 1 },
] as const;

/** [B, 2, groups] of a quantity and another. */
function rows<T>(items: readonly T[], batches: number, pick: readonly ((item: T) => number)[]): number[] {
  const groups = items.length / batches;
  return Array.from(
    { length: batches },
    (_, batch) => pick.flatMap((of) => items.slice(batch * groups, (batch + 1) * groups).map(of)),
  ).flat();
}

describe.each(CASES)("for $shape in $groups groups", ({ shape, groups }) => {
  const [batches, height, width, channels] = shape;
  const size = { batches, pixels: height * width, channels };
  const x = randomTensor(shape);

  test("groupNormStats() are mean and biased variance", async () => {
    const expected = rows(groupMoments(x.data, { ...size, groups }), batches, [
      ({ mean }) => mean,
      ({ squares, count }) => squares / count,
    ]);
    await expectClose(groupNormStats(x.tensor, { groups }), expected);
  });
  test("meanStd() are mean and unbiased deviation", async () => {
    const expected = rows(groupMoments(x.data, { ...size, groups: channels }), batches, [
      ({ mean }) => mean,
      ({ squares, count }) => Math.sqrt(squares / Math.max(1, count - 1)),
    ]);
    await expectClose(meanStd(x.tensor), expected);
  });
});

test("groupNormStats() keep their precision where the mean is much larger than the deviation", async () => {
  const shape = [1, 120, 90, 8] as const;
  const data = random(shape).map((value) => 100 + 0.1 * Math.sqrt(3) * value);
  const expected = groupMoments(data, { batches: 1, pixels: 120 * 90, channels: 8, groups: 2 });
  const [values] = await read(groupNormStats(tensor(gpu, data, shape), { groups: 2 }));
  expected.forEach(({ mean, squares, count }, i) => {
    // Neighbouring f32 next to 100 are 7.6e-6 apart: the mean is one of the two around the exact one.
    expect(Math.abs(values![i]! - mean)).toBeLessThan(8e-6);
    expect(Math.abs(values![2 + i]! / (squares / count) - 1)).toBeLessThan(1e-5);
  });
});

/** An outlier that is the origin of a sum over 16 pixels, and its mean that of one over 8 such: up to four and three bits. */
const OUTLIER = 16 * 8 * 1e-6;

test("groupNormStats() see a strip whose first pixel is far off", async () => {
  const shape = [1, 8, 16, 1] as const;
  const data = random(shape);
  data[0] = 1e4;
  const [whole] = groupMoments(data, { batches: 1, pixels: 128, channels: 1, groups: 1 });
  await expectClose(
    groupNormStats(tensor(gpu, data, shape), { groups: 1 }),
    [whole!.mean, whole!.squares / whole!.count],
    OUTLIER,
  );
});

test("groupNormStats() refuse groups that do not divide the channels", () => {
  const x = randomTensor([1, 2, 2, 6]).tensor;
  expect(() => groupNormStats(x, { groups: 4 })).toThrow("groups must divide the 6 channels: groups is 4");
});

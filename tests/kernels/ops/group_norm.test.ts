import { gradients, groupNorm, groupNormApply, groupNormStats, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { slope } from "../../reference/central_differences.ts";
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

/** Groups of one channel, primes, channels that are no multiple of 4, one strip of 64 pixels, and several. */
const GRADIENTS = [
  { shape: [1, 1, 3, 3], groups: 3 },
  { shape: [2, 5, 13, 6], groups: 3 },
  { shape: [2, 7, 3, 8], groups: 8 },
  { shape: [1, 8, 8, 5], groups: 1 },
  { shape: [2, 11, 12, 12], groups: 3 },
  { shape: [1, 37, 29, 4], groups: 1 },
] as const;

describe.each(GRADIENTS)("groupNorm() for $shape in $groups groups", ({ shape, groups }) => {
  const [batches, height, width, channels] = shape;
  const inputs = { x: shape, weight: [channels], bias: [channels] };
  const size = { batches, pixels: height * width, channels, groups };

  test.each([[false], [true]])("has the gradient of central differences, SiLU %s", async (silu) => {
    const kernels = await expectGradients(inputs, {
      op: ({ x, weight, bias }) => groupNorm(x!, { groups, weight: weight!, bias: bias!, silu }),
      reference: ({ x, weight, bias }) =>
        reference.groupNorm(x!, { ...size, weight: weight!, bias: bias!, activate: silu }),
    });
    const suffix = silu ? ".silu" : "";
    const shared = ["coefficients", "backward_lines", `backward_sums${suffix}`].map((name) => `group_norm.${name}`);
    const own = (tracked: string) => kernels[tracked]!.filter((name) => name.startsWith("group_norm"));
    expect(own("x")).toEqual([...shared, `group_norm.backward_x${suffix}`].sort());
    for (const tracked of ["weight", "bias", "weight bias"]) expect(own(tracked)).toEqual([...shared].sort());
  });
});

test("groupNorm() keeps the precision of its gradient for mean 100 and deviation 0.1", async () => {
  const shape = [1, 10, 9, 8] as const;
  const size = { batches: 1, pixels: 90, channels: 8, groups: 2 };
  const data = random(shape).map((value) => 100 + 0.1 * Math.sqrt(3) * value);
  const weight = randomTensor([8], 2);
  const bias = randomTensor([8], 3);
  const seed = randomTensor(shape, 4);
  const x = tensor(gpu, data, shape);
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = groupNorm(x, { groups: 2, weight: weight.tensor, bias: bias.tensor, silu: true });
  const [dx] = gradients(tape, y, { seed: seed.tensor, wanted: [x] });
  const expected = Array.from(data, (value, at) =>
    slope((distance) => {
      const changed = Array.from(data).with(at, value + distance);
      return reference.groupNorm(changed, { ...size, weight: weight.data, bias: bias.data, activate: true })
        .reduce((sum, each, i) => sum + each * seed.data[i]!, 0);
    }));
  await expectClose(dx!, expected, OFFSET);
});

test("groupNormApply() has a gradient if the statistics are constant, and says so if they are not", async () => {
  const shape = [2, 5, 7, 6] as const;
  const moments = random([2, 2, 3], 8).map((value) => 1.5 + value);
  const stats = tensor(gpu, moments, [2, 2, 3]);
  await expectGradients({ x: shape, weight: [6], bias: [6] }, {
    op: ({ x, weight, bias }) => groupNormApply(x!, { stats, weight: weight!, bias: bias!, eps: 1e-3 }),
    reference: ({ x, weight, bias }) =>
      Array.from(x!, (value, i) => {
        const [batch, c] = [Math.floor(i / (35 * 6)), i % 6];
        const [mean, variance] = [0, 1].map((row) => moments[(2 * batch + row) * 3 + Math.floor(c / 2)]!);
        return weight![c]! * (value - mean!) / Math.sqrt(variance! + 1e-3) + bias![c]!;
      }),
  });

  const { tensor: x } = randomTensor(shape);
  const [weight, bias] = [randomTensor([6], 2).tensor, randomTensor([6], 3).tensor];
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = groupNormApply(x, { stats: groupNormStats(x, { groups: 3 }), weight, bias });
  expect(() => gradients(tape, y, { seed: y, wanted: [x] })).toThrow('Cannot differentiate "group_norm"');
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

import { empty, normalNoise, read } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { kernels } from "../../../packages/kernels/ops/noise.ts";
import { gpu } from "../../helpers/gpu.ts";
import * as reference from "../../reference/noise.ts";

/** Random123, tests/kat_vectors, philox4x32 10: counter, key, words. */
const KNOWN = [
  [[0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
] as const;

async function words(counter: readonly number[], key: readonly number[], count = 1): Promise<number[]> {
  const [counter_0 = 0, counter_1 = 0, counter_2 = 0, counter_3 = 0] = counter;
  const [key_0 = 0, key_1 = 0] = key;
  using raw = empty(gpu, [count, 4]);
  gpu.run(kernels.words, {
    buffers: [raw.buffer],
    params: { count, skip: 0, counter_0, counter_1, counter_2, counter_3, key_0, key_1 },
    groups: [1, 1, 1],
  });
  const [bytes] = await gpu.read([{ buffer: raw.buffer, bytes: count * 16 }]);
  return [...new Uint32Array(bytes!)];
}

test.each(KNOWN)("the words of counter %j, key %j are the known ones", async (counter, key, known) => {
  expect(await words(counter, key)).toEqual(known);
  expect(reference.philox(counter, key)).toEqual(known);
});

test("the counter carries into its second word", async () => {
  const next = await words([0xffffffff, 5, 0, 0], [1, 2], 2);
  expect(next.slice(4)).toEqual(reference.philox([0, 6, 0, 0], [1, 2]));
});

/** Logarithm, sine and cosine of the adapter in f32. */
const TRANSCENDENTAL = 1e-5;

test.each([[7, 0], [7, 3], [2 ** 40 + 1, 2 ** 34 - 2]])(
  "normalNoise() matches the reference for seed %i, offset %i",
  async (seed, offset) => {
    const [values] = await read(normalNoise(gpu, [1021], { seed, offset }));
    values!.forEach((value, i) => {
      expect(Math.abs(value - reference.normal(offset + i, seed))).toBeLessThan(TRANSCENDENTAL);
    });
  },
);

test("normalNoise() is the same for the same seed, another for another", async () => {
  const [a, b, c] = await read(...[1, 1, 2].map((seed) => normalNoise(gpu, [3, 5], { seed })));
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
});

test("normalNoise() of a part is that part of the whole", async () => {
  const whole = normalNoise(gpu, [70000], { seed: 3 });
  const parts = [1, 2, 3, 4, 64, 65537].map((offset) => normalNoise(gpu, [333], { seed: 3, offset }));
  const [all, ...cuts] = await read(whole, ...parts);
  [1, 2, 3, 4, 64, 65537].forEach((offset, i) => expect(cuts[i]).toEqual(all!.slice(offset, offset + 333)));
});

test("normalNoise() is standard normal", async () => {
  const count = 1 << 20;
  const [values] = await read(normalNoise(gpu, [count], { seed: 11 }));
  const moment = (power: number) => values!.reduce((sum, value) => sum + value ** power, 0) / count;
  // Five standard errors: 1, sqrt 2, sqrt 15 and sqrt 96, over sqrt(count) = 1024.
  expect(Math.abs(moment(1))).toBeLessThan(5 / 1024);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.SQRT2 / 1024);
  expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15) / 1024);
  expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96) / 1024);
  const lag = values!.subarray(1).reduce((sum, value, i) => sum + value * values![i]!, 0) / count;
  expect(Math.abs(lag)).toBeLessThan(5 / 1024);
});

test("normalNoise() refuses a seed that is not a whole number", () => {
  expect(() => normalNoise(gpu, [2], { seed: 0.5 })).toThrow("seed must be a whole number from 0 to 2^53 - 1");
  expect(() => normalNoise(gpu, [2], { seed: 1, offset: -1 })).toThrow("offset must be a whole number");
});

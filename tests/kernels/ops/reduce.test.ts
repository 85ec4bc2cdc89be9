import { empty, gradients, maxAbs, mean, read, sum, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectGradients } from "../../helpers/gradient_check.ts";
import { F32, gpu, random, randomTensor } from "../../helpers/gpu.ts";

/** One element, primes, a workgroup and one more, one chunk and one more, or four more, more chunks than one level has threads. */
const SHAPES = [[1], [7], [257], [16385], [4, 4097], [2, 3, 31, 5], [3, 1021, 1031]];

describe.each(SHAPES.map((shape) => [shape]))("for shape %j", (shape) => {
  const { data, tensor: x } = randomTensor(shape);
  const total = data.reduce((sum, value) => sum + value, 0);
  const magnitudes = data.reduce((sum, value) => sum + Math.abs(value), 0);

  test("sum() and mean() match the reference", async () => {
    const [a, b] = await read(sum(x), mean(x));
    expect(Math.abs(a![0]! - total)).toBeLessThan(F32 * magnitudes);
    expect(Math.abs(b![0]! - total / data.length)).toBeLessThan(F32 * magnitudes / data.length);
  });
  test("maxAbs() is the largest magnitude", async () => {
    const [largest] = await read(maxAbs(x));
    expect(largest![0]).toBe(data.reduce((max, value) => Math.max(max, Math.abs(value)), 0));
  });
});

test("maxAbs() sees a negative value at the end", async () => {
  const data = random([70001]);
  data[70000] = -5;
  const [largest] = await read(maxAbs(tensor(gpu, data, [70001])));
  expect(largest![0]).toBe(5);
});

test("sum() gives the same bits every time", async () => {
  const { tensor: x } = randomTensor([123457]);
  const sums = await read(...Array.from({ length: 5 }, () => sum(x)));
  expect(new Set(sums.map(([value]) => value)).size).toBe(1);
});

test.each([[[1]], [[257]], [[2, 3, 31, 5]], [[70, 1021]]])(
  "sum() and mean() have the gradient of central differences for shape %j",
  async (shape) => {
    const total = (x: ArrayLike<number>) => Array.from(x).reduce((sum, value) => sum + value, 0);
    await expectGradients({ x: shape }, { op: ({ x }) => sum(x!), reference: ({ x }) => [total(x!)] }, F32);
    await expectGradients(
      { x: shape },
      { op: ({ x }) => mean(x!), reference: ({ x }) => [total(x!) / x!.length] },
      F32,
    );
  },
);

test("maxAbs() has no gradient, and says so", () => {
  const { tensor: x } = randomTensor([5]);
  using tape = new Tape(gpu);
  tape.watch(x);
  const y = maxAbs(x);
  expect(() => gradients(tape, y, { seed: y, wanted: [x] })).toThrow('Cannot differentiate "max_abs"');
});

test("mean() refuses an empty tensor, sum() packed weights", () => {
  expect(() => mean(empty(gpu, [0, 3]))).toThrow("x must have elements");
  expect(() => sum(tensor(gpu, new Uint8Array(4), [2], "f16"))).toThrow("x must be f32: it is f16");
});

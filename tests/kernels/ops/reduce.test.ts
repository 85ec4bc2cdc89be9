import { empty, maxAbs, mean, read, sum, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { F32, gpu, random, randomTensor } from "../../helpers/gpu.ts";

/** One element, primes, a workgroup and one more, one chunk and one more, more chunks than one level has threads. */
const SHAPES = [[1], [7], [257], [4097], [2, 3, 31, 5], [3, 1021, 1031]];

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

test("mean() refuses an empty tensor, sum() packed weights", () => {
  expect(() => mean(empty(gpu, [0, 3]))).toThrow("x must have elements");
  expect(() => sum(tensor(gpu, new Uint8Array(4), [2], "f16"))).toThrow("x must be f32: it is f16");
});

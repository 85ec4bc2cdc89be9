import { globalNorm, gradientControl, read, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { F32, gpu, randomTensor } from "../../helpers/gpu.ts";

/** One element, primes, a chunk and one more, more chunks than a workgroup has threads. */
const LISTS = [[[1]], [[7], [2, 3]], [[16385], [1], [4, 4097]], [[3, 1021, 1031], [5]]];

test.each(LISTS.map((shapes) => [shapes]))("globalNorm() of %j matches the reference", async (shapes) => {
  const all = shapes.map((shape, i) => randomTensor(shape, i + 1));
  const squares = all.reduce((sum, { data }) => data.reduce((sum, value) => sum + value * value, sum), 0);
  const [first, ...others] = all.map(({ tensor }) => tensor);
  const live = gpu.memory.live;
  const [once, twice] = [globalNorm([first!, ...others]), globalNorm([first!, ...others])];
  const [a, b] = await read(once, twice);
  expect(Math.abs(a![0]! / Math.sqrt(squares) - 1)).toBeLessThan(F32);
  expect(a).toEqual(b);
  for (const norm of [once, twice]) norm.dispose();
  expect(gpu.memory.live).toBe(live);
});

test.each([NaN, Infinity, -Infinity])("globalNorm() is not finite if one element is %d", async (value) => {
  const spoilt = tensor(gpu, Float32Array.of(1, value, 3), [3]);
  const [norm] = await read(globalNorm([randomTensor([300]).tensor, spoilt, randomTensor([5]).tensor]));
  expect(Number.isFinite(norm![0])).toBe(false);
});

describe("gradientControl()", () => {
  async function decide(norms: readonly number[], clip?: number): Promise<number[]> {
    const control = tensor(gpu, Float32Array.of(1, 1), [2]);
    for (const norm of norms) gradientControl(tensor(gpu, Float32Array.of(norm), [1]), { control, clip });
    const [values] = await read(control);
    return [...values!];
  }

  test("scales gradients that are too long down to the limit", async () => {
    expect(await decide([8], 2)).toEqual([0.25, 1]);
    expect(await decide([2], 2)).toEqual([1, 1]);
    expect(await decide([0], 2)).toEqual([1, 1]);
    expect(await decide([3e38])).toEqual([1, 1]);
  });

  test.each([NaN, Infinity])("stops at a norm of %d and goes on stopping", async (norm) => {
    expect((await decide([1, norm], 2))[1]).toBe(0);
    expect((await decide([norm, 1, 1]))[1]).toBe(0);
  });
});

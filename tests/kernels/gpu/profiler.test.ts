import { add, affine, read, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { gpu, randomTensor } from "../../helpers/gpu.ts";

describe("profile()", () => {
  test("times every dispatch by its kernel's name and hands the result on", async () => {
    using x = randomTensor([1 << 20]).tensor;
    const { result, times } = await gpu.profile(() => {
      using twice = affine(x, { scale: 2 });
      return add(twice, x);
    });
    expect(times.map(({ kernel }) => kernel)).toEqual(["elementwise.affine", "elementwise.combine"]);
    for (const { milliseconds } of times) {
      expect(milliseconds).toBeGreaterThan(0);
      expect(milliseconds).toBeLessThan(10_000);
    }
    const [values = [], given = []] = await read(result, x);
    expect(values[7]).toBeCloseTo(3 * (given[7] ?? NaN), 5);
    result.dispose();
  });

  test("has no limit on the number of dispatches", async () => {
    using x = tensor(gpu, new Float32Array([1]), [1]);
    const { times } = await gpu.profile(() => {
      for (let i = 0; i < 5000; i++) affine(x, { offset: i }).dispose();
    });
    expect(times.length).toBe(5000);
    expect(times.every(({ kernel, milliseconds }) => kernel === "elementwise.affine" && milliseconds >= 0)).toBe(true);
  });

  test("does not count what was recorded before or after", async () => {
    using x = tensor(gpu, new Float32Array([1]), [1]);
    using before = affine(x, { offset: 1 });
    const { times } = await gpu.profile(() => {});
    expect(times).toEqual([]);
    using after = affine(before, { offset: 1 });
    expect(await read(after)).toEqual([new Float32Array([3])]);
  });

  test("accepts asynchronous work with waits in it", async () => {
    using x = tensor(gpu, new Float32Array([1]), [1]);
    const { result, times } = await gpu.profile(async () => {
      using y = affine(x, { offset: 1 });
      const [values] = await read(y);
      using z = affine(y, { offset: 1 });
      return [values, ...await read(z)];
    });
    expect(result).toEqual([new Float32Array([2]), new Float32Array([3])]);
    expect(times.length).toBe(2);
  });

  test("leaves the GPU usable when the work throws", async () => {
    using x = tensor(gpu, new Float32Array([1]), [1]);
    await expect(gpu.profile(() => {
      affine(x, { offset: 1 }).dispose();
      throw new Error("stop");
    })).rejects.toThrow("stop");
    using y = affine(x, { offset: 1 });
    expect(await read(y)).toEqual([new Float32Array([2])]);
  });
});

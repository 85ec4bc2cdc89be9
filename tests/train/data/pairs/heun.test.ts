import { read, scale, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { heun } from "../../../../packages/train/data/pairs/heun.ts";
import { gpu } from "../../../helpers/gpu.ts";

/** The value at the last of the times `from`, ..., `to` of the solution of `dx/dt = 2 t x` with x = 1 at the first. */
async function solve(steps: number, [from, to]: readonly [number, number]): Promise<number> {
  const times = Array.from({ length: steps + 1 }, (_, i) => from + (to - from) * i / steps);
  const end = await heun(tensor(gpu, new Float32Array([1]), [1]), (x, t) => scale(x, 2 * t), { times });
  const [[x] = []] = await read(end);
  return x ?? NaN;
}

test.each([[[0, 1], Math.E], [[1, 0], 1 / Math.E]] as const)("heun() along %j has order 2", async (range, expected) => {
  const [coarse, fine] = [await solve(8, range), await solve(16, range)].map((x) => Math.abs(x - expected));
  expect(coarse! / fine!).toBeGreaterThan(3.5);
  expect(coarse! / fine!).toBeLessThan(6);
  expect(fine).toBeLessThan(5e-3);
});

test("heun() of one step is the trapezoid of both velocities", async () => {
  // x = 1, v = 2 * 0.5 * 1 = 1, Euler's end 1.5, its velocity 2 * 1 * 1.5 = 3: 1 + 0.5 (1 + 3) / 2
  expect(await solve(1, [0.5, 1])).toBe(2);
});

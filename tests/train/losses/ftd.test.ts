import { read } from "@fluxsr/kernels";
import { ftdLoss } from "@fluxsr/train";
import { expect, test } from "vitest";
import { randomTensor } from "../../helpers/gpu.ts";

test.each([[[1]], [[2, 3, 5]], [[1, 7, 64]]])("ftdLoss() matches Eq. 17 for shape %j", async (shape) => {
  const T_L = 0.25;
  const [v, eps, z_0, z_L] = [1, 2, 3, 4].map((seed) => randomTensor(shape, seed));
  const [loss] = await read(ftdLoss(v!.tensor, { eps: eps!.tensor, z_0: z_0!.tensor, z_L: z_L!.tensor, T_L }));
  const squares = [...v!.data].map((velocity, i) => {
    const u = eps!.data[i]! - z_0!.data[i]!;
    return ((u - T_L * velocity) - (eps!.data[i]! - z_L!.data[i]!)) ** 2;
  });
  expect(loss![0]).toBeCloseTo(squares.reduce((sum, square) => sum + square, 0) / squares.length, 5);
});

test("ftdLoss() is zero where both trajectories are one and T_L is 0", async () => {
  const [z_0, eps] = [randomTensor([4, 4], 1), randomTensor([4, 4], 2)];
  const v = randomTensor([4, 4], 3);
  const pair = { eps: eps.tensor, z_0: z_0.tensor, z_L: z_0.tensor };
  const [loss] = await read(ftdLoss(v.tensor, { ...pair, T_L: 0 }));
  expect(loss![0]).toBe(0);
});

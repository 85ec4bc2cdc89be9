import { concat, mean, read, reshape, scale, type Shape, split, subtract, type Tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { type FtdBatch, ftdGroups, type FtdNetworks, type FtdWeights } from "../../../packages/train/ftd/ftd_groups.ts";
import { randomTensor } from "../../helpers/gpu.ts";

const ALL: FtdWeights = { ftd: 1, mse: 1, latent_mse: 1, tv_lpips: 1, adl: 1 };

/** Networks that are no networks: latents are pictures, and TV-LPIPS is the mean difference. */
function toyNetworks(seen: Shape[] = []): FtdNetworks {
  return {
    velocity: (z, { timesteps }) => {
      const samples = split(z, 0, timesteps.map(() => 1));
      return concat(samples.map((sample, i) => scale(sample, 1 + timesteps[i]!)), 0);
    },
    stepVelocity: (z_L, { observe }) => {
      observe("double.0.img", reshape(z_L, [z_L.shape[0]!, 4, -1]));
      observe("single.0", reshape(z_L, [z_L.shape[0]!, 4, -1]));
      return scale(z_L, 1.25);
    },
    decode: (z) => scale(z, 2),
    tvLpips: (x, y) => {
      seen.push(x.shape, y.shape);
      return mean(subtract(x, y));
    },
    T_L: 0.25,
    factor: 1,
    textTokens: 1,
  };
}

function toyBatch(window?: FtdBatch["window"]): FtdBatch {
  const [eps, z_0, z_L, x_0] = [1, 2, 3, 4].map((seed) => randomTensor([2, 6, 4, 3], seed).tensor);
  return { eps: eps!, z_0: z_0!, z_L: z_L!, x_0: x_0!, t: [0.3, 0.9], window, samples: [], [Symbol.dispose]() {} };
}

/** The parts of a batch, one sample each. */
function samplesOf({ eps, z_0, z_L, x_0, t }: FtdBatch): FtdBatch[] {
  const parts = [eps, z_0, z_L, x_0].map((each) => split(each, 0, [1, 1]));
  return t.map((time, i) => {
    const [a, b, c, d] = parts.map((part) => part[i]!) as [Tensor, Tensor, Tensor, Tensor];
    return { eps: a, z_0: b, z_L: c, x_0: d, t: [time], samples: [], [Symbol.dispose]() {} };
  });
}

async function terms(batch: FtdBatch, weights = ALL, networks = toyNetworks()): Promise<Record<string, number>> {
  const all: Record<string, Tensor> = {};
  for (const { loss } of ftdGroups(networks, weights)) Object.assign(all, await loss(batch));
  const values = await read(...Object.values(all));
  return Object.fromEntries(Object.keys(all).map((name, i) => [name, values[i]![0]!]));
}

test("terms of a batch are the means of those of its samples, each at its own time", async () => {
  const batch = toyBatch();
  const whole = await terms(batch);
  const [one, other] = samplesOf(batch);
  const [first, second] = [await terms(one!), await terms(other!)];
  expect(Object.keys(whole).sort()).toEqual(["adl", "ftd", "latent_mse", "mse", "tv_lpips"]);
  for (const [name, value] of Object.entries(whole)) {
    expect(value, name).toBeCloseTo((first[name]! + second[name]!) / 2, 5);
  }
});

test("a term that is switched off is not computed", async () => {
  for (const off of Object.keys(ALL)) {
    expect(Object.keys(await terms(toyBatch(), { ...ALL, [off]: 0 }))).not.toContain(off);
  }
  expect(ftdGroups(toyNetworks(), { ...ALL, ftd: 0 }).length).toBe(1);
  expect(ftdGroups(toyNetworks(), { ftd: 1, mse: 0, latent_mse: 0, tv_lpips: 0, adl: 0 }).length).toBe(1);
});

test("only the window is decoded, and what the autoencoder loses is added to it", async () => {
  const seen: Shape[] = [];
  const lost = randomTensor([2, 3, 2, 3], 5).tensor;
  const batch = { ...toyBatch({ top: 1, left: 2, height: 3, width: 2 }), lost };
  const found = await terms(batch, ALL, toyNetworks(seen));
  expect(seen).toEqual([[2, 3, 2, 3], [2, 3, 2, 3]]);
  const [z_L, x_0, added] = await read(batch.z_L, batch.x_0, lost);
  const errors: number[] = [];
  for (let i = 0; i < z_L!.length; i++) {
    const [row, column] = [Math.floor(i / 12) % 6, Math.floor(i / 3) % 4];
    if (row < 1 || row > 3 || column < 2) continue;
    // One step of the toy: z_0hat = z_L - T_L (1 + T_L) z_L, then twice that.
    errors.push(2 * (1 - 0.25 * 1.25) * z_L![i]! + added![errors.length]! - x_0![i]!);
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(errors.length).toBe(36);
  expect(found.tv_lpips).toBeCloseTo(mean(errors), 5);
  expect(found.mse).toBeCloseTo(mean(errors.map((error) => error ** 2)), 5);
});

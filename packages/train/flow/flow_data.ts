import { type Autoencoder, interpolate, velocity } from "@fluxsr/core";
import { concat, normalNoise, scoped, type Tensor } from "@fluxsr/kernels";
import { type CropSource, drawsOf, randomCrops } from "../data/crops.ts";
import { eachSample } from "../data/samples.ts";
import { type Random, randomOf } from "../random.ts";
import type { Batch, BatchIndex } from "../stage.ts";

/** What a step learns from; B samples. */
export interface FlowBatch extends Batch {
  /** Points on the flow from latents of pictures to noise, Eq. 7 [B, h, w, z_channels]. */
  readonly x_t: Tensor;
  /** The flow's velocities there, Eq. 8-9. */
  readonly u: Tensor;
  /** The time of each sample, in [0, 1]. */
  readonly t: readonly number[];
}

/** How times are drawn. */
export interface TimeDensity {
  readonly t_density: "uniform" | "logit_normal";
  /** Of the normal number in logit-normal times. */
  readonly t_mean: number;
  readonly t_std: number;
}

/** What batches are made of. */
export interface FlowSource extends CropSource {
  readonly autoencoder: Autoencoder;
  readonly density: TimeDensity;
}

/**
 * A random time of the flow: uniform, or logit-normal, which prefers the middle
 * (Esser et al. 2024, https://arxiv.org/abs/2403.03206, section 3.1).
 */
export function randomTime(random: Random, { t_density, t_mean, t_std }: TimeDensity): number {
  return t_density === "uniform" ? random.uniform() : 1 / (1 + Math.exp(-(t_mean + t_std * random.normal())));
}

/** The batch at `index`: crops of the pictures, each at its own time with its own noise. */
export async function flowBatch(source: FlowSource, index: BatchIndex): Promise<FlowBatch> {
  const { gpu, autoencoder, density, seed } = source;
  const draws = drawsOf(index, source);
  const t = draws.map((draw) => randomTime(randomOf(seed, "time", draw), density));
  const { names, x } = await randomCrops(source, draws);
  using crops = x;
  const { x_t, u } = scoped(gpu, () => {
    const z_0 = autoencoder.encode([crops])[0]!;
    const noiseOf = (draw: number) =>
      normalNoise(gpu, [1, ...z_0.shape.slice(1)], { seed: randomOf(seed, "noise", draw).seed() });
    const eps = concat(draws.map(noiseOf), 0);
    const point = (i: number, [data, noise]: readonly Tensor[]) => interpolate(data!, noise!, t[i]!);
    return { x_t: eachSample([z_0, eps], point), u: velocity(z_0, eps) };
  });
  return { samples: names, t, x_t, u, [Symbol.dispose]: () => [x_t, u].forEach((each) => each.dispose()) };
}

import type { Autoencoder } from "@fluxsr/core";
import { concat, type Gpu, scoped, type Tensor, tensor } from "@fluxsr/kernels";
import { degrade } from "../data/degradation/degrade.ts";
import type { DegradationParameters } from "../data/degradation/parameters.ts";
import { sharpen } from "../data/degradation/usm.ts";
import { enlarged, symmetric, toTensor, unit } from "../data/pixels.ts";
import type { Pairs } from "../data/pairs/pairs.ts";
import { sampleOrder } from "../data/sample_order.ts";
import { randomWindow } from "../data/windows.ts";
import { randomOf } from "../random.ts";
import type { BatchIndex } from "../stage.ts";
import type { FtdBatch } from "./ftd_groups.ts";
import { lostBy } from "./lost.ts";

/** What batches are made of. */
export interface FtdSource {
  readonly gpu: Gpu;
  readonly autoencoder: Autoencoder;
  readonly pairs: Pairs;
  readonly degradation: DegradationParameters;
  readonly scale: number;
  readonly T_L: number;
  readonly seed: number;
  readonly batchSize: number;
  /** Batches in a step. */
  readonly parts: number;
  /** Side of the part of pictures that is decoded, a multiple of the autoencoder's factor; undefined: all. */
  readonly decodeCrop: number | undefined;
  /** Whether the autoencoder's own error is taken out of what is decoded. */
  readonly residual: boolean;
}

/** The batch of Algorithm 1 at `index`: pairs in random order, each degraded anew, each at its own time. */
export async function ftdBatch(source: FtdSource, { step, part }: BatchIndex): Promise<FtdBatch> {
  const { batchSize, parts, pairs, seed, decodeCrop, residual, autoencoder } = source;
  const first = (step * parts + part) * batchSize;
  const draws = Array.from({ length: batchSize }, (_, i) => first + i);
  // All at once: they share the waits for what the GPU has made, which are long.
  const samples = await Promise.all(
    draws.map((draw) => sample(source, { draw, pair: sampleOrder(draw, { count: pairs.count, seed }) })),
  );
  const joined = (of: (one: Sample) => Tensor) => concat(samples.map(of), 0);
  const window = randomWindow(pairs.size, {
    crop: decodeCrop,
    step: autoencoder.factor,
    random: randomOf(seed, "window", first),
  });
  const tensors = scoped(source.gpu, () => {
    const x_L = joined(({ x_L }) => x_L);
    const z_L = autoencoder.encode([x_L])[0]!;
    return {
      eps: joined(({ eps }) => eps),
      z_0: joined(({ z_0 }) => z_0),
      z_L,
      x_0: joined(({ x_0 }) => x_0),
      ...(residual && { lost: lostBy(autoencoder, { x_L, z_L, window }) }),
    };
  });
  for (const { eps, z_0, x_L, x_0 } of samples) for (const each of [eps, z_0, x_L, x_0]) each.dispose();
  return {
    samples: samples.map(({ name }) => name),
    t: samples.map(({ t }) => t),
    window,
    ...tensors,
    [Symbol.dispose]: () => Object.values(tensors).forEach((each) => each.dispose()),
  };
}

interface Sample {
  readonly name: string;
  readonly t: number;
  readonly eps: Tensor;
  readonly z_0: Tensor;
  /** The low-resolution picture, enlarged. */
  readonly x_L: Tensor;
  readonly x_0: Tensor;
}

async function sample(
  { gpu, pairs, degradation: parameters, scale, T_L, seed }: FtdSource,
  { draw, pair }: { draw: number; pair: number },
): Promise<Sample> {
  const { eps, z_0, x_0, shape, number } = await pairs.pair(pair);
  using good = scoped(gpu, () => unit(toTensor(gpu, x_0)));
  using lr = await degrade(good, { parameters, scale, random: randomOf(seed, "degradation", draw) });
  return {
    name: `pair ${number}`,
    t: randomOf(seed, "time", draw).uniform(T_L, 1),
    eps: tensor(gpu, eps, [1, ...shape]),
    z_0: tensor(gpu, z_0, [1, ...shape]),
    x_L: enlarged(lr, { scale }),
    // As in Real-ESRGAN, what is degraded is also what is to be restored.
    x_0: scoped(gpu, () => symmetric(parameters.sharpen ? sharpen(good, parameters.sharpen) : good)),
  };
}

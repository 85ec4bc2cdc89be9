import type { Tensor } from "@fluxsr/kernels";
import { oneStep } from "./flow/trajectory.ts";
import type { Model } from "./model.ts";
import { predictVelocity } from "./velocity.ts";

/** Runs one stage of the work: `work` records it and returns its value. A runner may wait, time it or look at it. */
export type StageRunner = (stage: string, work: () => Tensor) => Tensor | Promise<Tensor>;

/** Options of {@linkcode restore}. */
export interface RestoreOptions {
  /** Standard normal noise of the latent's shape: samples the encoder's posterior; left out, its mean is taken. */
  readonly noise?: Tensor | undefined;
  /** Is given the stages `encode` (z_L), `transformer` (v), `step` (z_0hat) and `decode` (x_0hat), in this order. */
  readonly run?: StageRunner;
}

/**
 * The one-step restorer (FluxSR, Eq. 18): encode, one velocity at `T_L`, step to the data, decode.
 *
 * @param x enlarged low-resolution picture [1, h, w, 3] in [-1, 1]; sizes are multiples of {@linkcode granularity}
 * @returns restored picture [1, h, w, 3], about [-1, 1], not clamped
 */
export async function restore(
  model: Model,
  x: Tensor,
  { noise, run = (_, work) => work() }: RestoreOptions = {},
): Promise<Tensor> {
  const { autoencoder, settings: { T_L } } = model;
  using z_L = await run("encode", () => only(autoencoder.encode([x], { noise: noise && [noise] })));
  using v = await run("transformer", () => predictVelocity(model, z_L));
  using z_0hat = await run("step", () => oneStep(z_L, v, T_L));
  return await run("decode", () => only(autoencoder.decode([z_0hat])));
}

function only([tile]: readonly Tensor[]): Tensor {
  if (!tile) throw new Error("Cannot restore: the autoencoder returned nothing");
  return tile;
}

/** Picture sizes must be multiples of this: one token covers 2x2 latent pixels. */
export function granularity(model: Model): number {
  return 2 * model.autoencoder.factor;
}

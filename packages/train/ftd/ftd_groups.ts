import { lowResolutionPoint, type MmditObserver as Observer, oneStep } from "@fluxsr/core";
import { add, type Rectangle, scoped, scopedAsync, split, type Tensor } from "@fluxsr/kernels";
import { eachSample } from "../data/samples.ts";
import { cut, inLatents } from "../data/windows.ts";
import { attentionDiversification, layerDiversity } from "../losses/attention_diversification.ts";
import { ftdLoss } from "../losses/ftd.ts";
import { meanSquaredError } from "../losses/reconstruction.ts";
import { type Batch, type LossGroup, switchedOn } from "../stage.ts";

/** What a step of FTD learns from; B samples. */
export interface FtdBatch extends Batch {
  /** The teacher's noise, and the latent that it makes of it [B, h, w, z_channels]. */
  readonly eps: Tensor;
  readonly z_0: Tensor;
  /** Of the enlarged low-resolution picture. */
  readonly z_L: Tensor;
  /** The picture itself [B, H, W, 3] in [-1, 1]. */
  readonly x_0: Tensor;
  /** A time in [T_L, 1] for each sample. */
  readonly t: readonly number[];
  /** The part of the pictures that is decoded, in pixels; undefined: all. */
  readonly window?: Rectangle | undefined;
  /** Of that part `x_L - D(z_L)`, which is added to what is decoded; undefined: nothing is (`residual`). */
  readonly lost?: Tensor | undefined;
}

/** The networks as the losses see them. */
export interface FtdNetworks {
  /** The student's velocity of latents [B, h, w, z_channels], each at its time. */
  readonly velocity: (z: Tensor, options: { timesteps: readonly number[] }) => Tensor | Promise<Tensor>;
  /** That of the one step, at `T_L`, as `upscale` takes it. */
  readonly stepVelocity: (z_L: Tensor, options: { observe: Observer }) => Tensor | Promise<Tensor>;
  /** Latents to pictures [B, H, W, 3]. */
  readonly decode: (z: Tensor) => Tensor;
  /** TV-LPIPS (Eq. 19-20) of pictures and the true ones, mean over the batch [1]; undefined: not used. */
  readonly tvLpips: ((x_0hat: Tensor, x_0: Tensor) => Tensor) | undefined;
  readonly T_L: number;
  /** Pixels to a latent, along each side. */
  readonly factor: number;
  /** Text tokens before the picture's in the single blocks. */
  readonly textTokens: number;
}

/** How much each term counts, Algorithm 1; 0 switches it off. */
export interface FtdWeights {
  readonly ftd: number;
  /** Of pixels. */
  readonly mse: number;
  readonly latent_mse: number;
  /** lambda */
  readonly tv_lpips: number;
  /** mu */
  readonly adl: number;
}

/** Called with `x_t`, `v_t`, `v_TL`, `z_0hat`, `x_0hat` and `adl.<layer>`; only valid in the call. */
export type FtdObserver = (name: string, value: Tensor) => void;

/**
 * The loss of Algorithm 1: flow trajectory distillation at a random point of the low-resolution trajectory, and the
 * reconstruction and attention diversification of the one step. The gradient of the reconstruction goes through the
 * decoder and the transformer.
 */
export function ftdGroups(
  networks: FtdNetworks,
  weights: FtdWeights,
  observe: FtdObserver = () => {},
): LossGroup<FtdBatch>[] {
  const { ftd, ...generator } = weights;
  const groups = [
    { weights: switchedOn({ ftd }), loss: (batch: FtdBatch) => trajectory(networks, batch, observe) },
    {
      weights: switchedOn(generator),
      loss: (batch: FtdBatch) => oneStepTerms(networks, batch, { used: generator, observe }),
    },
  ];
  return groups.filter((group) => Object.keys(group.weights).length > 0);
}

/** Eq. 16 and 17. */
async function trajectory(
  { velocity, T_L }: FtdNetworks,
  batch: FtdBatch,
  observe: FtdObserver,
): Promise<{ ftd: Tensor }> {
  const { eps, z_0, z_L, t } = batch;
  return await scopedAsync(eps.gpu, async () => {
    const x_t = eachSample([z_L, eps], (i, [low, noise]) => lowResolutionPoint(low!, noise!, { t: t[i] ?? 1, T_L }));
    const v = await velocity(x_t, { timesteps: t });
    observe("x_t", x_t);
    observe("v_t", v);
    return { ftd: ftdLoss(v, { eps, z_0, z_L, T_L }) };
  });
}

/** Eq. 18 and 21-23. */
async function oneStepTerms(
  { stepVelocity, decode, tvLpips, T_L, factor, textTokens }: FtdNetworks,
  { z_L, z_0, x_0, window, lost }: FtdBatch,
  { used: { mse, latent_mse, tv_lpips, adl }, observe }: { used: Omit<FtdWeights, "ftd">; observe: FtdObserver },
): Promise<Record<string, Tensor>> {
  const layers: Tensor[] = [];
  const observeLayer: Observer = (name, value) => {
    if (adl === 0 || !/^(double\.\d+\.img|single\.\d+)$/.test(name)) return;
    // The network frees what it computed on the way: the layer's loss gets a handle of its own.
    layers.push(scoped(value.gpu, () => layerDiversity(pictureTokens(name, value, textTokens)).retain()));
    observe(`adl.${name}`, layers.at(-1)!);
  };
  try {
    return await scopedAsync(z_L.gpu, async (): Promise<Record<string, Tensor>> => {
      const v = await stepVelocity(z_L, { observe: observeLayer });
      const z_0hat = oneStep(z_L, v, T_L);
      observe("v_TL", v);
      observe("z_0hat", z_0hat);
      const terms: Record<string, Tensor> = {};
      if (adl > 0) terms.adl = attentionDiversification(layers);
      if (latent_mse > 0) terms.latent_mse = meanSquaredError(z_0hat, z_0);
      if (mse === 0 && tv_lpips === 0) return terms;
      const decoded = decode(cut(z_0hat, inLatents(window, factor)));
      const x_0hat = lost ? add(decoded, lost) : decoded;
      observe("x_0hat", x_0hat);
      const truth = cut(x_0, window);
      if (mse > 0) terms.mse = meanSquaredError(x_0hat, truth);
      if (tv_lpips > 0 && tvLpips) terms.tv_lpips = tvLpips(x_0hat, truth);
      return terms;
    });
  } finally {
    for (const each of layers) each.release();
  }
}

/** Double blocks keep the two streams apart, single blocks have the text first. */
function pictureTokens(name: string, value: Tensor, textTokens: number): Tensor {
  if (name.startsWith("double") || textTokens === 0) return value;
  return split(value, 1, [textTokens, (value.shape[1] ?? 0) - textTokens])[1]!;
}

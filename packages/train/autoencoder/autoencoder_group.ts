import type { Autoencoder } from "@fluxsr/core";
import { clamp, reshape, scoped, split, type Tensor } from "@fluxsr/kernels";
import { klDivergence } from "../losses/kl.ts";
import { imageGradientError, meanAbsoluteError } from "../losses/reconstruction.ts";
import { type Batch, type LossGroup, switchedOn } from "../stage.ts";

/** What a step learns from; B crops. */
export interface AutoencoderBatch extends Batch {
  /** [B, H, W, 3] in [-1, 1] */
  readonly x: Tensor;
  /** Standard normal, of the latents' shape: which point of the posterior is taken. */
  readonly noise: Tensor;
}

/** How much each term counts; 0 switches it off. */
export interface AutoencoderWeights {
  /** Mean absolute error of pixels. */
  readonly l1: number;
  /** The same of differences between neighbouring pixels. */
  readonly gradient: number;
  readonly lpips: number;
  /** Of the posterior from the standard normal distribution. */
  readonly kl: number;
}

/**
 * The loss of a variational autoencoder, whose decoder sees a sample of the posterior
 * (Rombach et al. 2022, https://arxiv.org/abs/2112.10752, appendix G, without its discriminator).
 *
 * @param networks `lpips` is LPIPS of two batches of pictures, [B, H, W, 3] each, mean over the batch [1]
 */
export function autoencoderGroup(
  { autoencoder, lpips }: { autoencoder: Autoencoder; lpips: ((x_hat: Tensor, x: Tensor) => Tensor) | undefined },
  weights: AutoencoderWeights,
): LossGroup<AutoencoderBatch> {
  const used = { ...weights, lpips: lpips ? weights.lpips : 0 };
  return {
    weights: switchedOn(used),
    loss: ({ x, noise }) => {
      let divergence: Tensor | undefined;
      const observe = (name: string, [moments]: readonly Tensor[]) => {
        // The autoencoder frees the moments: what becomes of them gets a handle of its own.
        if (name === "moments" && used.kl > 0) divergence = posteriorDivergence(moments!).retain();
      };
      try {
        return scoped(x.gpu, () => {
          const [z] = autoencoder.encode([x], { noise: [noise], observe });
          const [x_hat] = autoencoder.decode([z!]) as [Tensor];
          const terms: Record<string, Tensor> = {};
          if (used.l1 > 0) terms.l1 = meanAbsoluteError(x_hat, x);
          if (used.gradient > 0) terms.gradient = imageGradientError(x_hat, x);
          if (used.lpips > 0) terms.lpips = lpips!(x_hat, x);
          if (divergence) terms.kl = reshape(divergence, [1]);
          return terms;
        });
      } finally {
        divergence?.release();
      }
    },
  };
}

/** `moments [B, h, w, 2 z_channels]`, mean then log variance, clamped as where it is sampled, `-> [1]` */
function posteriorDivergence(moments: Tensor): Tensor {
  const channels = (moments.shape[3] ?? 0) / 2;
  return scoped(moments.gpu, () => {
    const [mean, logvar] = split(moments, 3, [channels, channels]) as [Tensor, Tensor];
    return klDivergence(mean, clamp(logvar, -30, 20));
  });
}

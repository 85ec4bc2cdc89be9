import { type Lpips, tvLpips } from "@fluxsr/core";
import { checkpoint, mean, scoped, type Tensor } from "@fluxsr/kernels";

/**
 * TV-LPIPS as a loss: the mean of Eq. 19-20 over the batch, `x_0hat, x_0 [B, H, W, 3]` in [-1, 1], to [1]. Only `x_0hat`
 * has a gradient.
 */
export function tvLpipsLoss(x_0hat: Tensor, x_0: Tensor, options: { lpips: Lpips; gamma: number }): Tensor {
  // Features of both pictures and their variations, 2 GB at 1024 x 1024, would be kept while the decoder's gradient is
  // computed, which takes the most memory of a step.
  const body = () => [scoped(x_0hat.gpu, () => mean(tvLpips(x_0hat, x_0, options)))] as const;
  return checkpoint("tv_lpips", [x_0hat, x_0], body)[0];
}

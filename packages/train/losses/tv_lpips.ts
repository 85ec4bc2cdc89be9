import { type Lpips, tvLpips } from "@fluxsr/core";
import { mean, scoped, type Tensor } from "@fluxsr/kernels";

/**
 * TV-LPIPS as a loss: the mean of Eq. 19-20 over the batch, `x_0hat, x_0 [B, H, W, 3]` in [-1, 1], to [1]. Only `x_0hat`
 * has a gradient.
 */
export function tvLpipsLoss(x_0hat: Tensor, x_0: Tensor, options: { lpips: Lpips; gamma: number }): Tensor {
  return scoped(x_0hat.gpu, () => mean(tvLpips(x_0hat, x_0, options)));
}

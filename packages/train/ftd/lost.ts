import type { Autoencoder } from "@fluxsr/core";
import { type Rectangle, scoped, subtract, type Tensor } from "@fluxsr/kernels";
import { cut, inLatents } from "../data/windows.ts";

/**
 * What the autoencoder loses of enlarged pictures, `x_L - D(z_L)`, which a model's `residual` adds to what it decodes:
 * `x_L [B, H, W, 3]` in [-1, 1] and its latents, to the shape of the part `window` of x_L; undefined: all of it.
 */
export function lostBy(
  autoencoder: Autoencoder,
  { x_L, z_L, window }: { x_L: Tensor; z_L: Tensor; window?: Rectangle | undefined },
): Tensor {
  return scoped(x_L.gpu, () => {
    const decoded = autoencoder.decode([cut(z_L, inLatents(window, autoencoder.factor))])[0]!;
    return subtract(cut(x_L, window), decoded);
  });
}

import { atrousBlur, scoped, subtract, type Tensor } from "@fluxsr/kernels";

/**
 * `v [B, h, w, C]` without what alternates from latent to latent alike over some seven of them: `v - B2(v - B1 v)`, where
 * B1 and B2 are {@linkcode atrousBlur} with taps 1 and 2 latents apart.
 *
 * A token is 2 x 2 latents, so what a network gets wrong alike in every token has a period of two rows or columns, or of
 * both: nothing of it is left, of an edge or of noise nearly all. B2 is 1 where B1 is 0, at that period.
 */
export function notch(v: Tensor): Tensor {
  return scoped(v.gpu, () => {
    const detail = subtract(v, atrousBlur(v, { dilation: 1 }));
    return subtract(v, atrousBlur(detail, { dilation: 2 }));
  });
}

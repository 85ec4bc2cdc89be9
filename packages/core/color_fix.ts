import { add, atrousBlur, scoped, subtract, type Tensor } from "@fluxsr/kernels";
import type { PerChannel } from "./image/canvas.ts";

/** How the colours of the result are tied to those of the input. */
export type ColorFix = "wavelet" | "adain" | "none";

/** Levels of the wavelet transform: the coarsest blur reaches 1 + 2 + 4 + 8 + 16 = 31 pixels. */
const DILATIONS = [1, 2, 4, 8, 16];

/**
 * Low frequencies of `reference`, high frequencies of `x`; both [1, h, w, 3].
 *
 * The blur is linear, so `x - low(x) + low(reference) = x + low(reference - x)`: one transform instead of two.
 */
export function waveletFix(x: Tensor, reference: Tensor): Tensor {
  return scoped(x.gpu, () => {
    const low = DILATIONS.reduce(
      (value, dilation) => scoped(x.gpu, () => atrousBlur(value, { dilation })),
      subtract(reference, x),
    );
    return add(x, low);
  });
}

/** Mean and standard deviation per channel. */
interface Statistics {
  readonly mean: PerChannel;
  readonly std: PerChannel;
}

/** AdaIN (Huang and Belongie, arXiv 1703.06868): the gain and offset that give `own` the statistics of `reference`. */
export function adainFix(own: Statistics, reference: Statistics): { gain: PerChannel; offset: PerChannel } {
  const gain = own.std.map((std, c) => reference.std[c]! / Math.max(std, 1e-5)) as unknown as PerChannel;
  const offset = own.mean.map((mean, c) => reference.mean[c]! - gain[c]! * mean) as unknown as PerChannel;
  return { gain, offset };
}

import { add, affine, groupNormStats, l2Pool, read, scoped, type Tensor } from "@fluxsr/kernels";
import { Module, Parameter } from "../nn/module.ts";
import { standardised } from "./standardised.ts";
import { Vgg16, VGG16_WIDTHS } from "./vgg16.ts";

/** c_1 and c_2 of Eq. 3 and 4: where a channel is all but 0, both pictures count as alike. */
const STABLE = 1e-6;

/**
 * DISTS with VGG16: how different two pictures are in structure and texture (Ding et al. 2020,
 * https://arxiv.org/abs/2004.07728). 0 for equal pictures, about 1 for those that have nothing in common.
 *
 * The picture itself and the five taps of VGG16, with L2 pooling, are compared channel by channel by their means (texture)
 * and their covariance (structure), so that a texture may move as long as it stays the same. The authors' program shrinks
 * pictures to 256 pixels first; here they are taken as they are.
 */
export class Dists extends Module {
  readonly net: Vgg16;
  /** Weights of the texture and of the structure of all channels, one after another; their sum does not matter. */
  readonly alpha: Parameter;
  readonly beta: Parameter;
  /** Where the weights are from, for people. */
  readonly source: string;

  /** Use {@linkcode loadDists}. */
  constructor({ source, widths = VGG16_WIDTHS }: { source: string; widths?: readonly number[] }) {
    super();
    this.net = new Vgg16(widths);
    const channels = widths.reduce((sum, width) => sum + width, 3);
    this.alpha = new Parameter([channels]);
    this.beta = new Parameter([channels]);
    this.source = source;
  }

  /** Pictures [B, h, w, 3] in [-1, 1] to what {@linkcode distance} compares: them in [0, 1], and five taps of VGG16. */
  features(image: Tensor): Tensor[] {
    return scoped(image.gpu, () => [
      affine(image, { scale: 0.5, offset: 0.5 }),
      ...this.net.taps(standardised(image), { pool: l2Pool }),
    ]);
  }

  /**
   * The distance of each pair of pictures, whose features are given: B numbers,
   * `1 - sum_c (alpha_c l_c + beta_c s_c) / sum_c (alpha_c + beta_c)` (Eq. 3-5).
   */
  async distance(first: readonly Tensor[], second: readonly Tensor[]): Promise<number[]> {
    const moments = scoped(this.alpha.tensor.gpu, () =>
      first.flatMap((f, k) => {
        const g = second[k]!;
        return [f, g, add(f, g)].map((x) => groupNormStats(x, { groups: x.shape.at(-1)! }));
      }));
    const [alpha, beta, ...values] = await read(this.alpha.tensor, this.beta.tensor, ...moments);
    for (const each of moments) each.dispose();
    const total = [...alpha!, ...beta!].reduce((sum, weight) => sum + weight, 0);
    return Array.from({ length: first[0]!.shape[0]! }, (_, b) => {
      let [similarity, at] = [0, 0];
      for (let k = 0; k < values.length; k += 3) {
        const [f, g, both] = values.slice(k, k + 3).map((moments) => momentsOf(moments, { b, tensor: first[k / 3]! }));
        for (let c = 0; c < f!.length; c++, at++) {
          similarity += alpha![at]! * texture(f![c]!, g![c]!) + beta![at]! * structure(f![c]!, g![c]!, both![c]!);
        }
      }
      return 1 - similarity / total;
    });
  }
}

/** Of a channel, over all pixels of a picture. */
interface Moments {
  readonly mean: number;
  readonly variance: number;
}

/** Those of picture `b`, by channel. @param moments [B, 2, C] */
function momentsOf(moments: Float32Array, { b, tensor }: { b: number; tensor: Tensor }): Moments[] {
  const channels = tensor.shape.at(-1)!;
  const start = 2 * b * channels;
  return Array.from({ length: channels }, (_, c) => ({
    mean: moments[start + c]!,
    variance: moments[start + channels + c]!,
  }));
}

/** l of Eq. 3: how alike the means are. */
function texture(f: Moments, g: Moments): number {
  return (2 * f.mean * g.mean + STABLE) / (f.mean ** 2 + g.mean ** 2 + STABLE);
}

/** s of Eq. 4: how much of the variance is shared, with `2 cov(f, g) = var(f + g) - var f - var g`. */
function structure(f: Moments, g: Moments, both: Moments): number {
  const variances = f.variance + g.variance;
  return (both.variance - variances + STABLE) / (variances + STABLE);
}

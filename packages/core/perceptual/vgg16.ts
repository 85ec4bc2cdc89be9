import { checkpoint, maxPool, scoped, type Tensor } from "@fluxsr/kernels";
import { Conv2d } from "../nn/conv2d.ts";
import { Module } from "../nn/module.ts";

/** Channels of the five blocks of VGG16. */
export const VGG16_WIDTHS: readonly number[] = [64, 128, 256, 512, 512];

/** Convolutions of each block. */
const CONVOLUTIONS = [2, 2, 3, 3, 3];

/** Halves the sides of [B, h, w, C]. */
export type Pool = (x: Tensor) => Tensor;

/**
 * The convolutions of VGG16 (configuration D of https://arxiv.org/abs/1409.1556): five blocks of 3x3 convolutions, each
 * with ReLU, and 2x2 max pooling between the blocks. Numbered as in torchvision, which counts ReLU and pooling too:
 * `features.0`, `features.2`, `features.5`, ..., `features.28`.
 */
export class Vgg16 extends Module {
  readonly features: Readonly<Record<number, Conv2d>>;
  readonly #blocks: readonly (readonly Conv2d[])[];

  /** `widths`: channels of the five blocks. */
  constructor(widths: readonly number[] = VGG16_WIDTHS) {
    super();
    const features: Record<number, Conv2d> = {};
    let channels = 3;
    let index = 0;
    this.#blocks = CONVOLUTIONS.map((count, block) => {
      const width = widths[block] ?? channels;
      const convolutions = Array.from({ length: count }, () => {
        const convolution = new Conv2d(channels, width, { size: 3 });
        features[index] = convolution;
        index += 2;
        channels = width;
        return convolution;
      });
      index += 1;
      return convolutions;
    });
    this.features = features;
  }

  /**
   * What each block ends with, before pooling (relu1_2, relu2_2, relu3_3, relu4_3, relu5_3):
   * `x [B, h, w, 3] -> [B, h / 2^k, w / 2^k, widths[k]]` for k = 0 to 4; h and w are at least 16.
   *
   * @param options.pool what stands between the blocks
   */
  taps(x: Tensor, { pool = maxPool }: { pool?: Pool } = {}): Tensor[] {
    const taps: Tensor[] = [];
    for (const [i, block] of this.#blocks.entries()) {
      const input = taps.at(-1) ?? x;
      taps.push(...checkpoint(`vgg16.${i}`, [input], () => [run(block, input, i > 0 ? pool : undefined)]));
    }
    return taps;
  }
}

/** A block; every value on the way is freed as soon as the next is there. */
function run(block: readonly Conv2d[], x: Tensor, pool: Pool | undefined): Tensor {
  return scoped(x.gpu, () =>
    block.reduce((h, convolution) => {
      const next = convolution.forward(h, { activation: "relu" });
      if (h !== x) h.dispose();
      return next;
    }, pool ? pool(x) : x));
}

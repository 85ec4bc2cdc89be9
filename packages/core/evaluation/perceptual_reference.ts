import { type Gpu, read, scoped, type Size, type Tensor } from "@fluxsr/kernels";
import { type Rgb8, toTensor } from "../image/rgb8.ts";
import type { Dists } from "../perceptual/dists.ts";
import type { Lpips } from "../perceptual/lpips.ts";

/** The networks that compare pictures, on one GPU. */
export interface PerceptualNetworks {
  readonly gpu: Gpu;
  readonly lpips: Lpips;
  readonly dists: Dists;
}

/** The least that a side must have: VGG16 halves it four times. */
const SMALLEST = 16;

/** Whether VGG16 takes a picture: neither too small, nor its features, f32 of the first block, too large for a buffer. */
export function isComparable({ height, width }: Size, { gpu, lpips }: PerceptualNetworks): boolean {
  const bytes = height * width * lpips.lins[0]!.shape[0]! * Float32Array.BYTES_PER_ELEMENT;
  return Math.min(height, width) >= SMALLEST && bytes <= gpu.device.limits.maxStorageBufferBindingSize;
}

/** What the networks make of one picture, kept on the GPU for others to be compared with. */
export class PerceptualReference implements Disposable {
  readonly #networks: PerceptualNetworks;
  readonly #lpips: readonly Tensor[];
  readonly #dists: readonly Tensor[];

  /** `picture` must be {@linkcode isComparable}. */
  constructor(picture: Rgb8, networks: PerceptualNetworks) {
    const { gpu, lpips, dists } = networks;
    using x = toTensor(gpu, picture);
    this.#networks = networks;
    this.#lpips = lpips.features(x);
    this.#dists = dists.features(x);
  }

  /** How different `picture`, of the same size, is. */
  async distances(picture: Rgb8): Promise<{ lpips: number; dists: number }> {
    const { gpu, lpips, dists } = this.#networks;
    using x = toTensor(gpu, picture);
    using distance = scoped(gpu, () => lpips.distance(lpips.features(x), this.#lpips));
    const [values] = await read(distance);
    const features = dists.features(x);
    const [other] = await dists.distance(features, this.#dists);
    for (const each of features) each.dispose();
    return { lpips: values![0]!, dists: other! };
  }

  [Symbol.dispose](): void {
    for (const each of [...this.#lpips, ...this.#dists]) each.dispose();
  }
}

import { add, featureDistance, scoped, type Tensor } from "@fluxsr/kernels";
import { Module, Parameter } from "../nn/module.ts";
import { standardised } from "./standardised.ts";
import { Vgg16, VGG16_WIDTHS } from "./vgg16.ts";

/**
 * LPIPS v0.1 with VGG16: how different two pictures look, as the distance of their features
 * (Zhang et al. 2018, https://arxiv.org/abs/1801.03924). 0 for equal pictures; there is no upper bound.
 *
 * The weights are frozen, and only the first of two pictures has a gradient.
 */
export class Lpips extends Module {
  readonly net: Vgg16;
  /** The weight of every channel of the five taps. */
  readonly lins: readonly Parameter[];
  /** Where the weights are from, for people. */
  readonly source: string;

  /** Use {@linkcode loadLpips}. */
  constructor({ source, widths = VGG16_WIDTHS }: { source: string; widths?: readonly number[] }) {
    super();
    this.net = new Vgg16(widths);
    this.lins = widths.map((width) => new Parameter([width]));
    this.source = source;
  }

  /** Pictures [B, h, w, 3] in [-1, 1], at least 16x16, to what {@linkcode distance} compares: five taps of VGG16. */
  features(image: Tensor): Tensor[] {
    return scoped(image.gpu, () => this.net.taps(standardised(image)));
  }

  /** The share of each tap in {@linkcode distance}: five times [B]. */
  tapDistances(first: readonly Tensor[], second: readonly Tensor[]): Tensor[] {
    return this.lins.map((lin, k) => featureDistance(first[k]!, second[k]!, { weight: lin.tensor }));
  }

  /** The distance of each pair of pictures, whose features are given, [B]. */
  distance(first: readonly Tensor[], second: readonly Tensor[]): Tensor {
    return scoped(first[0]!.gpu, () => this.tapDistances(first, second).reduce((sum, part) => add(sum, part)));
  }

  /** The distance of each pair of pictures: `first, second [B, h, w, 3]` in [-1, 1], at least 16x16, to [B]. */
  forward(first: Tensor, second: Tensor): Tensor {
    return scoped(first.gpu, () => this.distance(this.features(first), this.features(second)));
  }
}

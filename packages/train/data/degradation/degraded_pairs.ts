import { cut, type Rgb8 } from "@fluxsr/core";
import { type Gpu, scoped } from "@fluxsr/kernels";
import { randomOf } from "../../random.ts";
import { crop, type NamedPicture, type Pictures } from "../pictures.ts";
import { symmetric, toPicture, toTensor, unit } from "../pixels.ts";
import { sampleOrder } from "../sample_order.ts";
import { applyDegradation } from "./degrade.ts";
import { type Degradation, drawDegradation } from "./draw.ts";
import type { DegradationParameters } from "./parameters.ts";

/** A good picture, and a small one made of it, to try an upscaler on. */
export interface DegradedPair {
  /** The file that the picture is of. */
  readonly name: string;
  readonly degradation: Degradation;
  /** The small picture. */
  readonly low: Rgb8;
  /** Exactly `scale` times as large. */
  readonly truth: Rgb8;
}

/** Options of {@linkcode degradedPairs}. */
export interface DegradedPairsOptions {
  readonly pictures: Pictures;
  readonly parameters: DegradationParameters;
  readonly count: number;
  /** Side of random square crops, a multiple of `scale`; undefined: whole pictures, cut to a multiple of it. */
  readonly size?: number | undefined;
  readonly scale: number;
  readonly seed: number;
}

/**
 * Makes `count` pairs; each picture once before any comes again. What is to be restored is the picture as it is: unlike
 * in training, it is not sharpened before.
 */
export async function* degradedPairs(
  gpu: Gpu,
  { pictures, parameters, count, size, scale, seed }: DegradedPairsOptions,
): AsyncGenerator<DegradedPair> {
  for (let i = 0; i < count; i++) {
    const picture = await pictures.picture(sampleOrder(i, { count: pictures.count, seed }));
    const truth = size === undefined ? trimmed(picture, scale) : crop(picture, size, randomOf(seed, "crop", i));
    const degradation = drawDegradation({ ...parameters, sharpen: null }, randomOf(seed, "degradation", i));
    using hr = scoped(gpu, () => unit(toTensor(gpu, truth)));
    using lr = await applyDegradation(hr, { degradation, scale });
    using low = symmetric(lr);
    yield { name: picture.name, degradation, low: await toPicture(low), truth };
  }
}

/** The largest part from the upper left corner on whose sides are multiples of `scale`. */
function trimmed(picture: NamedPicture, scale: number): Rgb8 {
  const side = (length: number) => length - length % scale;
  return cut(picture, { left: 0, top: 0, width: side(picture.width), height: side(picture.height) });
}

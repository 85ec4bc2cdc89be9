import type { Rgb8 } from "@fluxsr/core";
import { type Gpu, scoped } from "@fluxsr/kernels";
import { randomOf } from "../../random.ts";
import { crop, type Pictures } from "../pictures.ts";
import { enlarged, symmetric, toPicture, toTensor, unit } from "../pixels.ts";
import { sampleOrder } from "../sample_order.ts";
import { applyDegradation } from "./degrade.ts";
import { type Degradation, drawDegradation } from "./draw.ts";
import type { DegradationParameters } from "./parameters.ts";
import { sharpen } from "./usm.ts";

/** A pair of pictures as training sees it. */
export interface Preview {
  /** The picture that the crop is of. */
  readonly name: string;
  readonly degradation: Degradation;
  /** The degraded picture, bicubically enlarged. */
  readonly enlarged: Rgb8;
  /** What is to be made of it. */
  readonly truth: Rgb8;
}

/** Options of {@linkcode previews}. */
export interface PreviewOptions {
  readonly pictures: Pictures;
  readonly parameters: DegradationParameters;
  readonly count: number;
  /** Side of the crops in pixels, a multiple of `scale`. */
  readonly size: number;
  readonly scale: number;
  readonly seed: number;
}

/** Makes `count` samples of random crops; each picture once before any comes again. */
export async function* previews(
  gpu: Gpu,
  { pictures, parameters, count, size, scale, seed }: PreviewOptions,
): AsyncGenerator<Preview> {
  for (let i = 0; i < count; i++) {
    const picture = await pictures.picture(sampleOrder(i, { count: pictures.count, seed }));
    const square = crop(picture, size, randomOf(seed, "crop", i));
    const degradation = drawDegradation(parameters, randomOf(seed, "degradation", i));
    using hr = scoped(gpu, () => unit(toTensor(gpu, square)));
    using lr = await applyDegradation(hr, { degradation, scale });
    using larger = enlarged(lr, { scale });
    using truth = scoped(gpu, () => symmetric(parameters.sharpen ? sharpen(hr, parameters.sharpen) : hr));
    yield { name: picture.name, degradation, enlarged: await toPicture(larger), truth: await toPicture(truth) };
  }
}

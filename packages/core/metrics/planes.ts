import type { Rgb8 } from "../image/rgb8.ts";
import { luma } from "./luma.ts";

/** What {@linkcode psnr} and {@linkcode ssim} compare. */
export interface MetricOptions {
  /** Compare Y only, instead of R, G and B. */
  readonly luma: boolean;
  /** Ignore that many pixels on every side. */
  readonly cropBorder: number;
}

/** One channel of a cropped picture: values [height, width], 0..255. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float64Array;
}

/**
 * The channels that a metric compares, cropped, of both pictures: R, G and B, or Y.
 *
 * @throws {RangeError} if the sizes differ, or nothing is left after cropping
 */
export function planePairs(reference: Rgb8, image: Rgb8, options: MetricOptions): [Plane, Plane][] {
  if (size(reference) !== size(image)) {
    throw new RangeError(`Cannot compare pictures: sizes must match: ${size(reference)} and ${size(image)}`);
  }
  const planes = ({ rgb }: Rgb8) => options.luma ? [luma(rgb)] : [0, 1, 2].map((channel) => every(3, channel, rgb));
  const references = planes(reference);
  return planes(image).map((values, i) => [
    crop(reference, references[i]!, options.cropBorder),
    crop(image, values, options.cropBorder),
  ]);
}

/**
 * Y of a picture, cropped.
 *
 * @throws {RangeError} if nothing is left after cropping
 */
export function lumaPlane(picture: Rgb8, { cropBorder }: Pick<MetricOptions, "cropBorder">): Plane {
  return crop(picture, luma(picture.rgb), cropBorder);
}

function size({ width, height }: Rgb8): string {
  return `${width} x ${height}`;
}

/** Of every `count` samples the one at `index`. */
function every(count: number, index: number, samples: Uint8Array): Float64Array {
  return Float64Array.from({ length: samples.length / count }, (_, i) => samples[i * count + index]!);
}

/** @param values [height, width] of the picture */
function crop(picture: Rgb8, values: Float64Array, border: number): Plane {
  if (!Number.isInteger(border) || border < 0 || 2 * border >= Math.min(picture.width, picture.height)) {
    throw new RangeError(`Cannot measure pictures: a border of ${border} must fit into ${size(picture)}`);
  }
  const width = picture.width - 2 * border;
  const height = picture.height - 2 * border;
  const cropped = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (y + border) * picture.width + border;
    cropped.set(values.subarray(start, start + width), y * width);
  }
  return { width, height, values: cropped };
}

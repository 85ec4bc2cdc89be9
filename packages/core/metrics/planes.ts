import { luma } from "./luma.ts";

/** An 8-bit RGB picture to compare: rgb [height, width, 3]. */
export interface Rgb8 {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

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
 * The channels that a metric compares, cropped, of both pictures.
 *
 * @throws {RangeError} if the sizes differ, or nothing is left after cropping
 */
export function planePairs(reference: Rgb8, image: Rgb8, options: MetricOptions): [Plane, Plane][] {
  const size = ({ width, height }: Rgb8) => `${width} x ${height}`;
  if (size(reference) !== size(image)) {
    throw new RangeError(`Cannot compare pictures: sizes must match: ${size(reference)} and ${size(image)}`);
  }
  const { cropBorder } = options;
  if (!Number.isInteger(cropBorder) || cropBorder < 0 || 2 * cropBorder >= Math.min(image.width, image.height)) {
    throw new RangeError(`Cannot compare pictures: a border of ${cropBorder} must fit into ${size(image)}`);
  }
  const references = planes(reference, options);
  return planes(image, options).map((plane, i) => [references[i]!, plane]);
}

function planes(picture: Rgb8, { luma: lumaOnly, cropBorder }: MetricOptions): Plane[] {
  const values = lumaOnly ? luma(picture.rgb) : picture.rgb;
  const channels = lumaOnly ? 1 : 3;
  const width = picture.width - 2 * cropBorder;
  const height = picture.height - 2 * cropBorder;
  return Array.from({ length: channels }, (_, channel) => {
    const plane = new Float64Array(width * height);
    for (let y = 0; y < height; y++) {
      const start = (y + cropBorder) * picture.width + cropBorder;
      for (let x = 0; x < width; x++) plane[y * width + x] = values[(start + x) * channels + channel]!;
    }
    return { width, height, values: plane };
  });
}

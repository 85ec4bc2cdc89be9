import type { Rgb8 } from "../image/rgb8.ts";
import { type MetricOptions, planePairs } from "./planes.ts";

/**
 * Peak signal-to-noise ratio in dB as BasicSR computes it: `10 log10(255^2 / MSE)`, the mean taken over all pixels and
 * channels. Infinity for equal pictures.
 *
 * @throws {RangeError} if the sizes differ, or nothing is left after cropping
 */
export function psnr(reference: Rgb8, image: Rgb8, options: MetricOptions): number {
  let sum = 0;
  let count = 0;
  for (const [a, b] of planePairs(reference, image, options)) {
    for (let i = 0; i < a.values.length; i++) sum += (a.values[i]! - b.values[i]!) ** 2;
    count += a.values.length;
  }
  return 10 * Math.log10(255 ** 2 / (sum / count));
}

import type { Rgb8 } from "../image/rgb8.ts";
import { type MetricOptions, type Plane, planePairs } from "./planes.ts";

const WINDOW = 11;
const SIGMA = 1.5;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

const GAUSSIAN = gaussian();

/**
 * Structural similarity as BasicSR computes it, 1 for equal pictures: Gaussian windows of 11 x 11 (sigma 1.5) wherever
 * they fit, mean over the places, then over the channels.
 *
 * @throws {RangeError} if the sizes differ, or a side is below 11 after cropping
 */
export function ssim(reference: Rgb8, image: Rgb8, options: MetricOptions): number {
  const pairs = planePairs(reference, image, options);
  const { width, height } = pairs[0]![0];
  if (Math.min(width, height) < WINDOW) {
    throw new RangeError(`Cannot compute SSIM: sides must be at least ${WINDOW} after cropping: ${width} x ${height}`);
  }
  return pairs.reduce((sum, [a, b]) => sum + planeSsim(a, b), 0) / pairs.length;
}

function planeSsim(a: Plane, b: Plane): number {
  const meanA = blur(a, (i) => a.values[i]!);
  const meanB = blur(a, (i) => b.values[i]!);
  const meanAA = blur(a, (i) => a.values[i]! ** 2);
  const meanBB = blur(a, (i) => b.values[i]! ** 2);
  const meanAB = blur(a, (i) => a.values[i]! * b.values[i]!);
  let sum = 0;
  for (let i = 0; i < meanA.length; i++) {
    const ab = meanA[i]! * meanB[i]!;
    const squares = meanA[i]! ** 2 + meanB[i]! ** 2;
    const covariance = meanAB[i]! - ab;
    const variances = meanAA[i]! + meanBB[i]! - squares;
    sum += ((2 * ab + C1) * (2 * covariance + C2)) / ((squares + C1) * (variances + C2));
  }
  return sum / meanA.length;
}

/** Gaussian mean of `value(pixel)` at every place where the window fits -> [height - 10, width - 10]. */
function blur({ width, height }: Plane, value: (pixel: number) => number): Float64Array {
  const outWidth = width - WINDOW + 1;
  const outHeight = height - WINDOW + 1;
  const across = new Float64Array(outWidth * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < WINDOW; k++) sum += GAUSSIAN[k]! * value(y * width + x + k);
      across[y * outWidth + x] = sum;
    }
  }
  const out = new Float64Array(outWidth * outHeight);
  for (let i = 0; i < out.length; i++) {
    for (let k = 0; k < WINDOW; k++) out[i]! += GAUSSIAN[k]! * across[i + k * outWidth]!;
  }
  return out;
}

function gaussian(): Float64Array {
  const weights = Float64Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * SIGMA ** 2)));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((w) => w / sum);
}

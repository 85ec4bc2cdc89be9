import { Matrix, pseudoInverse } from "ml-matrix";
import { niqeFeatures } from "./niqe_features.ts";
import { type Distribution, readPristine } from "./niqe_pristine.ts";
import type { Rgb8 } from "../image/rgb8.ts";
import type { MetricOptions } from "./planes.ts";

/**
 * Natural Image Quality Evaluator as BasicSR computes it: how far a picture's statistics are from those of undistorted
 * pictures, without a reference; lower is better, good photographs have 2 to 5.
 *
 * `sqrt((m_p - m) ((C_p + C) / 2)^+ (m_p - m)^T)` with mean m and covariance C of the features of the picture's blocks,
 * m_p and C_p those of pristine pictures (Mittal, Soundararajan, Bovik: Making a "Completely Blind" Image Quality
 * Analyzer, 2013, Eq. 10).
 *
 * @returns NaN if fewer than two blocks have any contrast
 * @throws {RangeError} if fewer than two blocks of 96 x 96 fit into the cropped picture
 */
export async function niqe(image: Rgb8, options: Pick<MetricOptions, "cropBorder">): Promise<number> {
  const features = niqeFeatures(image, options);
  if (features.length < 2) {
    const size = `${image.width} x ${image.height} less ${options.cropBorder} on every side`;
    throw new RangeError(`Cannot compute NIQE: two blocks of 96 x 96 must fit after cropping: ${size}`);
  }
  const pristine = await readPristine();
  const distorted = distributionOf(features);
  if (!distorted) return NaN;
  const difference = Matrix.sub(pristine.mean, distorted.mean);
  const covariance = Matrix.add(pristine.covariance, distorted.covariance).div(2);
  return Math.sqrt(difference.mmul(pseudoInverse(covariance)).mmul(difference.transpose()).get(0, 0));
}

/**
 * Mean and sample covariance of blocks. A block without contrast has features that are NaN: as in NIQE's first
 * implementation, it counts in the means of its other features, and not at all in the covariance.
 */
function distributionOf(features: readonly Float64Array[]): Distribution | undefined {
  const whole = features.filter((block) => !block.includes(NaN));
  const [first] = whole;
  if (!first || whole.length < 2) return undefined;
  const mean = Array.from(first, (_, i) => meanOf(features.map((block) => block[i]!).filter((x) => !Number.isNaN(x))));
  const blocks = new Matrix(whole.map((block) => [...block]));
  const deviations = blocks.subRowVector(blocks.mean("column"));
  const covariance = deviations.transpose().mmul(deviations).div(whole.length - 1);
  return { mean: Matrix.rowVector(mean), covariance };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

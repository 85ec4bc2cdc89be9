import type { Plane } from "./planes.ts";

/** A Gaussian of sigma 7/6 on 7 pixels. */
const GAUSSIAN = [-3, -2, -1, 0, 1, 2, 3].map((x) => Math.exp(-(x ** 2) / (2 * (7 / 6) ** 2)));

/**
 * What MATLAB's `imresize(picture, 0.5)` weighs pixels with: the bicubic kernel (a = -0.5) stretched by 2, at distances
 * of 0.5, 1.5, 2.5 and 3.5 pixels on either side.
 */
const HALVING = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5].map((x) => bicubic(x / 2));

/** Gaussian mean around every pixel; beyond the borders the last pixel goes on. */
export function smoothed(plane: Plane): Plane {
  const at = (index: number, size: number) => Math.min(Math.max(index, 0), size - 1);
  return filtered(plane, { weights: normalised(GAUSSIAN), step: 1, at });
}

/** Half as wide and half as high; beyond the borders the picture is mirrored. @param plane of even sides */
export function halved(plane: Plane): Plane {
  const at = (index: number, size: number) => index < 0 ? -1 - index : index < size ? index : 2 * size - 1 - index;
  return filtered(plane, { weights: normalised(HALVING), step: 2, at });
}

interface Filter {
  readonly weights: readonly number[];
  /** Pixels from one result to the next. */
  readonly step: number;
  /** Which pixel stands for the one at `index`, which may lie beyond the borders. */
  readonly at: (index: number, size: number) => number;
}

/** The same filter down and across. */
function filtered(plane: Plane, filter: Filter): Plane {
  return transposed(alongRows(transposed(alongRows(plane, filter)), filter));
}

function alongRows({ width, height, values }: Plane, { weights, step, at }: Filter): Plane {
  const before = Math.floor((weights.length - step) / 2);
  const out = { width: width / step, height, values: new Float64Array(width / step * height) };
  for (let x = 0; x < out.width; x++) {
    const columns = weights.map((_, k) => at(x * step + k - before, width));
    for (let y = 0; y < height; y++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * values[y * width + columns[k]!]!;
      out.values[y * out.width + x] = sum;
    }
  }
  return out;
}

function transposed({ width, height, values }: Plane): Plane {
  return {
    width: height,
    height: width,
    values: values.map((_, i) => values[(i % height) * width + Math.floor(i / height)]!),
  };
}

/** Keys' kernel with a = -0.5. */
function bicubic(x: number): number {
  const d = Math.abs(x);
  return d <= 1 ? 1.5 * d ** 3 - 2.5 * d ** 2 + 1 : d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
}

function normalised(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

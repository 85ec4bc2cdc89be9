import {
  add,
  clamp,
  combine,
  exceeds,
  filter2d,
  multiply,
  scoped,
  subtract,
  type Tensor,
  tensor,
} from "@fluxsr/kernels";

/** Options of {@linkcode sharpen}. */
export interface SharpenOptions {
  /** Side of the Gaussian kernel in pixels, odd. */
  readonly size: number;
  /** Its standard deviation in pixels. */
  readonly sigma: number;
  /** How much of the difference from the blurred picture is added. */
  readonly weight: number;
  /** Smaller differences, of values up to 255, are left alone. */
  readonly threshold: number;
}

/**
 * Unsharp masking where a picture differs from its blur, so that noise in flat parts stays as it is:
 * `x [B, h, w, C] -> [B, h, w, C]` in [0, 1]. Real-ESRGAN (arXiv 2107.10833), section 3.4 on sharpened ground truth.
 *
 * out = soft clip(x + weight r) + (1 - soft) x,  r = x - blur(x),  soft = blur(1 where 255 |r| > threshold)
 */
export function sharpen(x: Tensor, { size, sigma, weight, threshold }: SharpenOptions): Tensor {
  return scoped(x.gpu, () => {
    const line = gaussianLine(size, sigma);
    const [rows, columns] = [tensor(x.gpu, line, [1, size]), tensor(x.gpu, line, [size, 1])];
    const blur = (y: Tensor) => filter2d(filter2d(y, rows), columns);
    const residual = subtract(x, blur(x));
    const soft = blur(exceeds(residual, threshold / 255));
    const sharp = clamp(combine(x, residual, { beta: weight }), 0, 1);
    return add(x, multiply(soft, subtract(sharp, x)));
  });
}

/** A Gaussian kernel along one axis, with sum 1. */
function gaussianLine(size: number, sigma: number): Float32Array<ArrayBuffer> {
  const values = Array.from({ length: size }, (_, i) => Math.exp(-(((i - (size - 1) / 2) / sigma) ** 2) / 2));
  const sum = values.reduce((total, value) => total + value, 0);
  return Float32Array.from(values, (value) => value / sum);
}

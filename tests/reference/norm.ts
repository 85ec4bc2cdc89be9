import { silu } from "./activation.ts";

type Values = ArrayLike<number>;

/** Mean and sum of squared deviations of `values`. */
function moments(values: number[]): { mean: number; squares: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, squares: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) };
}

/** `(1 + scale) LN(x) + shift`: x [B, L, D], shift and scale [B, D]. */
export function layerNorm(
  x: Values,
  { shape: [batches, length, width], shift, scale, eps = 1e-6 }: {
    shape: readonly [number, number, number];
    shift?: Values;
    scale?: Values;
    eps?: number;
  },
): number[] {
  const y: number[] = [];
  for (let row = 0; row < batches * length; row++) {
    const values = Array.from({ length: width }, (_, d) => x[row * width + d]!);
    const { mean, squares } = moments(values);
    const batch = Math.floor(row / length);
    values.forEach((value, d) => {
      const at = batch * width + d;
      const normed = (value - mean) / Math.sqrt(squares / width + eps);
      y.push(normed * (1 + (scale?.[at] ?? 0)) + (shift?.[at] ?? 0));
    });
  }
  return y;
}

/** `scale x / sqrt(mean(x^2) + eps)`: x [..., D], scale [D]. */
export function rmsNorm(x: Values, { scale, eps = 1e-6 }: { scale: Values; eps?: number }): number[] {
  const width = scale.length;
  const y: number[] = [];
  for (let base = 0; base < x.length; base += width) {
    let squares = 0;
    for (let d = 0; d < width; d++) squares += x[base + d]! ** 2;
    for (let d = 0; d < width; d++) y.push(scale[d]! * x[base + d]! / Math.sqrt(squares / width + eps));
  }
  return y;
}

/** A picture's sizes: batches, pixels, channels. */
interface Picture {
  readonly batches: number;
  readonly pixels: number;
  readonly channels: number;
}

/** Mean and sum of squared deviations of every batch and group, and how many elements they have. */
export function groupMoments(x: Values, { batches, pixels, channels, groups }: Picture & { groups: number }) {
  const width = channels / groups;
  const result = [];
  for (let batch = 0; batch < batches; batch++) {
    for (let group = 0; group < groups; group++) {
      const values: number[] = [];
      for (let pixel = 0; pixel < pixels; pixel++) {
        for (let c = 0; c < width; c++) values.push(x[(batch * pixels + pixel) * channels + group * width + c]!);
      }
      result.push({ ...moments(values), count: values.length });
    }
  }
  return result;
}

/** Group norm, channels last: weight and bias [C]. */
export function groupNorm(
  x: Values,
  { weight, bias, eps = 1e-6, activate = false, ...shape }: Picture & {
    groups: number;
    weight: Values;
    bias: Values;
    eps?: number;
    activate?: boolean;
  },
): number[] {
  const { pixels, channels, groups } = shape;
  const stats = groupMoments(x, shape);
  return Array.from({ length: x.length }, (_, i) => {
    const c = i % channels;
    const batch = Math.floor(i / (pixels * channels));
    const { mean, squares, count } = stats[batch * groups + Math.floor(c / (channels / groups))]!;
    const y = weight[c]! * (x[i]! - mean) / Math.sqrt(squares / count + eps) + bias[c]!;
    return activate ? silu(y) : y;
  });
}

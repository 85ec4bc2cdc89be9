import { mirror } from "./picture.ts";

type Values = ArrayLike<number>;
type Shape = readonly [batches: number, height: number, width: number, channels: number];

/** Results for every element of [B, h, w, C], by batch, row, column and channel. */
function each([batches, height, width, channels]: Shape, value: (...index: Shape) => number): number[] {
  const y: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        for (let channel = 0; channel < channels; channel++) y.push(value(batch, row, column, channel));
      }
    }
  }
  return y;
}

/** x at a place of [B, h, w, C]. */
function at(x: Values, [, h, w, channels]: Shape, [batch, row, column, channel]: Shape): number {
  return x[((batch * h + row) * w + column) * channels + channel]!;
}

/** Correlation of every channel with taps [m, n], the picture mirrored at its edges. */
export function filter2d(
  x: Values,
  { shape, taps, size: [m, n] }: { shape: Shape; taps: Values; size: readonly [number, number] },
): number[] {
  return each(shape, (batch, row, column, channel) => {
    let sum = 0;
    for (let u = 0; u < m; u++) {
      for (let v = 0; v < n; v++) {
        const i = mirror(row + u - (m - 1) / 2, shape[1]);
        const j = mirror(column + v - (n - 1) / 2, shape[2]);
        sum += taps[u * n + v]! * at(x, shape, [batch, i, j, channel]);
      }
    }
    return sum;
  });
}

/** What PyTorch's interpolate gives for one axis: the samples and their weights for one of the results. */
type Weights = (position: number) => (readonly [sample: number, weight: number])[];

/** The pixels whose area overlaps that of the result, all alike. */
export function area({ size, result }: { size: number; result: number }): Weights {
  return (position) => {
    const samples = Array.from({ length: size }, (_, k) => k)
      .filter((k) => k + 1 > position * size / result && k < (position + 1) * size / result);
    return samples.map((k) => [k, 1 / samples.length]);
  };
}

export function bilinear({ size, step }: { size: number; step: number }): Weights {
  return (position) => {
    const source = Math.max((position + 0.5) * step - 0.5, 0);
    const left = Math.floor(source);
    return [[left, 1 - source + left], [Math.min(left + 1, size - 1), source - left]];
  };
}

export function bicubic({ size, step }: { size: number; step: number }): Weights {
  return (position) => {
    const source = (position + 0.5) * step - 0.5;
    const t = source - Math.floor(source);
    // The four polynomials of the fraction t for a = -3/4, written out.
    const weights = [
      -0.75 * (t ** 3 - 2 * t ** 2 + t),
      1.25 * t ** 3 - 2.25 * t ** 2 + 1,
      -1.25 * t ** 3 + 1.5 * t ** 2 + 0.75 * t,
      0.75 * (t ** 3 - t ** 2),
    ];
    const first = Math.floor(source) - 1;
    return weights.map((weight, k) => [Math.min(Math.max(first + k, 0), size - 1), weight]);
  };
}

/** Resampling of [B, h, w, C] along both axes. */
export function resample(
  x: Values,
  { shape, height, width, rows, columns }: {
    shape: Shape;
    height: number;
    width: number;
    rows: Weights;
    columns: Weights;
  },
): number[] {
  return each([shape[0], height, width, shape[3]], (batch, row, column, channel) => {
    let sum = 0;
    for (const [i, down] of rows(row)) {
      for (const [j, across] of columns(column)) sum += down * across * at(x, shape, [batch, i, j, channel]);
    }
    return sum;
  });
}

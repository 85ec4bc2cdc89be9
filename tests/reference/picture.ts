import { elementAt, indexOf } from "./layout.ts";

type Values = ArrayLike<number>;

/** Keys' cubic convolution kernel, a = -1/2. */
function keys(t: number): number {
  const x = Math.abs(t);
  if (x < 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
  return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
}

/** Weights of all `size` samples for one of `result` samples, as Pillow computes them. */
export function bicubicWeights(position: number, { size, result }: { size: number; result: number }): number[] {
  const scale = size / result;
  const stretch = Math.max(1, scale);
  const weights = Array.from({ length: size }, (_, k) => keys((k + 0.5 - (position + 0.5) * scale) / stretch));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Position -1, -2, ... and size, size + 1, ... mirrored into [0, size) without repeating the edge. */
export function mirror(position: number, size: number): number {
  while (size > 1 && (position < 0 || position >= size)) {
    position = position < 0 ? -position : 2 * (size - 1) - position;
  }
  return size > 1 ? position : 0;
}

/** Bicubic resize of [B, h, w, C] to a window of height x width. */
export function bicubicResize(
  x: Values,
  { shape: [batches, h, w, channels], height, width, window }: {
    shape: readonly [number, number, number, number];
    height: number;
    width: number;
    window: { top: number; left: number; height: number; width: number };
  },
): number[] {
  const rows = Array.from(
    { length: window.height },
    (_, i) => bicubicWeights(mirror(window.top + i, height), { size: h, result: height }),
  );
  const columns = Array.from(
    { length: window.width },
    (_, i) => bicubicWeights(mirror(window.left + i, width), { size: w, result: width }),
  );
  const y: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    for (const down of rows) {
      for (const across of columns) {
        for (let channel = 0; channel < channels; channel++) {
          let sum = 0;
          down.forEach((a, i) => {
            if (a === 0) return;
            across.forEach((b, j) => {
              if (b !== 0) sum += a * b * x[((batch * h + i) * w + j) * channels + channel]!;
            });
          });
          y.push(sum);
        }
      }
    }
  }
  return y;
}

/** [1 2 1] x [1 2 1] / 16 with taps `dilation` apart and replicated edges, on [B, h, w, C]. */
export function atrousBlur(
  x: Values,
  { shape, dilation }: { shape: readonly [number, number, number, number]; dilation: number },
): number[] {
  const [, height, width] = shape;
  const limit = (value: number, size: number) => Math.min(size - 1, Math.max(0, value));
  return Array.from({ length: x.length }, (_, i) => {
    const [batch, row, column, channel] = indexOf(i, shape) as [number, number, number, number];
    let sum = 0;
    for (const dy of [-1, 0, 1]) {
      for (const dx of [-1, 0, 1]) {
        const tap = [batch, limit(row + dy * dilation, height), limit(column + dx * dilation, width), channel];
        sum += (2 - Math.abs(dy)) * (2 - Math.abs(dx)) * x[elementAt(tap, shape)]!;
      }
    }
    return sum / 16;
  });
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor, tensor } from "../tensor/tensor.ts";
import { sizes } from "./_shapes.ts";
import source from "./interpolate.wgsl" with { type: "text" };
import type { Size } from "./resize.ts";

const WORKGROUP = 64;

export const kernels = {
  forward: kernel({
    name: "interpolate",
    sources: [source],
    entry: "forward",
    binds: { x: "read", rows: "read", columns: "read", y: "write" },
    params: {
      count: "u32",
      height: "u32",
      width: "u32",
      height_out: "u32",
      width_out: "u32",
      channels: "u32",
      row_taps: "u32",
      column_taps: "u32",
    },
  }),
};

/** How {@linkcode interpolate} makes a pixel: of the mean of an area, of 2 x 2 or of 4 x 4 neighbours. */
export type InterpolationMode = "area" | "bilinear" | "bicubic";

/** Options of {@linkcode interpolate}: a size, or a factor by which both sides are multiplied and rounded down. */
export type InterpolateOptions = { readonly mode: InterpolationMode } & (Size | { readonly factor: number });

/** One axis: `size` samples become `result`, one each `step` samples. */
interface Axis {
  readonly size: number;
  readonly result: number;
  readonly step: number;
}

/** The samples that a result is made of: their weights, from sample `first` on, which may lie beyond the edge. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

const TAPS: Readonly<Record<InterpolationMode, (position: number, axis: Axis) => Taps>> = {
  area: (position, { size, result }) => {
    const first = Math.floor(position * size / result);
    const count = Math.ceil((position + 1) * size / result) - first;
    return { first, weights: Array(count).fill(1 / count) };
  },
  bilinear: (position, { step }) => {
    const source = Math.max(0, (position + 0.5) * step - 0.5);
    const first = Math.floor(source);
    return { first, weights: [1 - (source - first), source - first] };
  },
  bicubic: (position, { step }) => {
    const source = (position + 0.5) * step - 0.5;
    const first = Math.floor(source) - 1;
    return { first, weights: [0, 1, 2, 3].map((tap) => keys(source - first - tap)) };
  },
};

/** Keys' cubic convolution kernel, a = -3/4: IEEE Trans. ASSP 29 (1981), Eq. 4 with the free parameter of Eq. 8. */
function keys(distance: number): number {
  const a = -0.75;
  const t = Math.abs(distance);
  if (t < 1) return (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1;
  return t < 2 ? a * (t ** 3 - 5 * t ** 2 + 8 * t - 4) : 0;
}

/** A line for each result: the first sample, then the weights, as many as the longest line has. */
function table(axis: Axis, mode: InterpolationMode): { values: Float32Array<ArrayBuffer>; taps: number } {
  const lines = Array.from({ length: axis.result }, (_, position) => TAPS[mode](position, axis));
  const taps = lines.reduce((most, { weights }) => Math.max(most, weights.length), 0);
  const values = new Float32Array(axis.result * (taps + 1));
  lines.forEach(({ first, weights }, i) => values.set([first, ...weights], i * (taps + 1)));
  return { values, taps };
}

function axesOf(source: Size, options: InterpolateOptions): { rows: Axis; columns: Axis } {
  const axis = (side: keyof Size): Axis => {
    const size = source[side];
    // A factor, other than a size, also sets the step: what was cut off by rounding down is not stretched.
    const { result, step } = "factor" in options
      ? { result: Math.floor(size * options.factor), step: 1 / options.factor }
      : { result: options[side], step: size / options[side] };
    if (!Number.isInteger(result) || result < 1 || size < 1) {
      throw new RangeError(
        `Cannot run "interpolate": sizes must be whole numbers from 1 on: ${side} ${size} becomes ${result}`,
      );
    }
    return { size, result, step };
  };
  return { rows: axis("height"), columns: axis("width") };
}

/**
 * Resizes as PyTorch's `interpolate` does, without anti-aliasing: `x [B, h, w, C] -> [B, height, width, C]`.
 *
 * `bicubic` has the parameter -3/4 and may leave the range of x; for enlarging inputs see `bicubicResize`. The weights are
 * computed in f64. Without gradient.
 * @throws {RangeError} if a side is not a whole number from 1 on
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const [batches, height, width, channels] = sizes("interpolate", x, ["B", "h", "w", "C"]);
  const axes = axesOf({ height, width }, options);
  const y = empty(x.gpu, [batches, axes.rows.result, axes.columns.result, channels]);
  scoped(x.gpu, () => {
    const [rows, columns] = [table(axes.rows, options.mode), table(axes.columns, options.mode)];
    const [rowTable, columnTable] = [rows, columns].map(({ values }) => tensor(x.gpu, values, [values.length]));
    x.gpu.run(kernels.forward, {
      buffers: [x, rowTable!, columnTable!, y].map(({ buffer }) => buffer),
      params: {
        count: y.size,
        height,
        width,
        height_out: axes.rows.result,
        width_out: axes.columns.result,
        channels,
        row_taps: rows.taps,
        column_taps: columns.taps,
      },
      groups: groups1d(y.size, WORKGROUP),
    });
  });
  return record("interpolate", y, { inputs: [x] });
}

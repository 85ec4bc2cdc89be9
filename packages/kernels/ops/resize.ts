import { type Access, groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import mirror from "./_mirror.wgsl" with { type: "text" };
import { sizes } from "./_shapes.ts";
import source from "./resize.wgsl" with { type: "text" };

const WORKGROUP = 64;

const PARAMS = {
  count: "u32",
  start: "i32",
  extent: "u32",
  size_in: "u32",
  size_out: "u32",
  ratio_in: "u32",
  ratio_out: "u32",
  part_start: "u32",
  part_length: "u32",
  inner: "u32",
  rows: "u32",
  first_row: "u32",
  row_stride: "u32",
  batch_stride: "u32",
} as const;

function build<B extends string>(entry: string, binds: Readonly<Record<B, Access>>) {
  return byElem((elem) =>
    kernel({ name: `bicubic_resize.${entry}`, sources: [elem, mirror, source], entry, binds, params: PARAMS })
  );
}

const forward = build("forward", { x: "read", y: "write" });
const backward = build("backward", { x: "read", y: "write", totals: "read" });
const { scalar: totals } = build("backward_totals", { sums: "write" });

export const kernels = {
  forward_scalar: forward.scalar,
  forward_vec4: forward.vec4,
  backward_scalar: backward.scalar,
  backward_vec4: backward.vec4,
  totals,
};

/** A size in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** A rectangle in pixels. */
export interface Rectangle extends Size {
  readonly top: number;
  readonly left: number;
}

/** What {@linkcode bicubicResize} makes. */
export interface ResizeOptions extends Size {
  /**
   * The part of the `height` x `width` result that is wanted, default all. Beyond the edges the result is mirrored
   * without repeating the edge (reflect padding).
   */
  readonly window?: Rectangle | undefined;
  /** The full source, `height` x `width`, of which `x` is the part that begins at (`top`, `left`); default: x is all. */
  readonly crop?: Rectangle | undefined;
}

/** One axis of a resize: `size` samples become `result`, of which those from `start` on, `extent` of them, are wanted. */
interface Axis {
  readonly size: number;
  readonly result: number;
  readonly start: number;
  readonly extent: number;
}

function axesOf(source: Size, { height, width, window }: ResizeOptions): { rows: Axis; columns: Axis } {
  const { top, left, ...wanted } = window ?? { top: 0, left: 0, height, width };
  return {
    rows: { size: source.height, result: height, start: top, extent: wanted.height },
    columns: { size: source.width, result: width, start: left, extent: wanted.width },
  };
}

/** The greatest common divisor. */
function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** The samples that the wanted results of an axis are made of; may be one wider than needed. */
function support({ size, result, start, extent }: Axis): { first: number; end: number } {
  const positive = [size, result, extent].every((value) => Number.isInteger(value) && value > 0);
  // The shader's products of a size and a side of the reduced ratio are u32.
  if (!positive || !Number.isInteger(start) || 2 * size * result / divisor(size, result) >= 2 ** 32) {
    throw new RangeError(
      'Cannot run "bicubic_resize": sizes must be positive whole numbers whose least common multiple is below 2^31: ' +
        `${size} samples to ${result}, window from ${start}, ${extent} long`,
    );
  }
  const period = Math.max(1, 2 * (result - 1));
  let low = Infinity;
  let high = -Infinity;
  for (let i = start; i < Math.min(start + extent, start + period); i++) {
    const phase = Math.abs(i) % period;
    const position = result === 1 ? 0 : Math.min(phase, period - phase);
    low = Math.min(low, position);
    high = Math.max(high, position);
  }
  const scale = size / result;
  const reach = 2 * Math.max(1, scale) + 0.501;
  return {
    first: Math.max(0, Math.ceil((low + 0.5) * scale - reach)),
    end: Math.min(size, Math.floor((high + 0.5) * scale + reach) + 1),
  };
}

/** The part of a source of the given size that {@linkcode bicubicResize} reads with these options. */
export function bicubicSource(source: Size, options: ResizeOptions): Rectangle {
  const axes = axesOf(source, options);
  const rows = support(axes.rows);
  const columns = support(axes.columns);
  return {
    top: rows.first,
    left: columns.first,
    height: rows.end - rows.first,
    width: columns.end - columns.first,
  };
}

/** Where the lines along the axis are in `x`: `inner` interleaved ones in each of `rows` rows from `first` on. */
interface Lines {
  readonly rows: number;
  readonly first: number;
  readonly inner: number;
  readonly rowStride: number;
  readonly batchStride: number;
}

/** An axis, and the part of its samples that `x` of {@linkcode bicubicResize} holds. */
interface PartialAxis extends Axis {
  readonly partStart: number;
  readonly partLength: number;
}

interface Pass {
  readonly axis: PartialAxis;
  readonly lines: Lines;
}

function scalars(count: number, { axis, lines }: Pass, lanes: number) {
  const common = divisor(axis.size, axis.result);
  return {
    count,
    start: axis.start,
    extent: axis.extent,
    size_in: axis.size,
    size_out: axis.result,
    ratio_in: axis.size / common,
    ratio_out: axis.result / common,
    part_start: axis.partStart,
    part_length: axis.partLength,
    inner: lines.inner / lanes,
    rows: lines.rows,
    first_row: lines.first,
    row_stride: lines.rowStride / lanes,
    batch_stride: lines.batchStride / lanes,
  };
}

/** Threads that make `y`: four elements, or fours, each. */
function threads(y: Tensor, { lines: { inner } }: Pass, lanes: number): number {
  return y.size / inner * Math.ceil(inner / lanes / 4);
}

/** Resamples all lines of `x` into `y`. */
function resample([x, y]: [Tensor, Tensor], pass: Pass): Tensor {
  const { kernel, lanes } = widest(forward, pass.lines.inner);
  const count = threads(y, pass, lanes);
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    params: scalars(count, pass, lanes),
    groups: groups1d(count, WORKGROUP),
  });
  return y;
}

/** Turns the gradient `dy` of the resampled lines into that of the lines. */
function resampleBackward([dy, dx]: [Tensor, Tensor], pass: Pass): Tensor {
  const { extent } = pass.axis;
  const sums = empty(dy.gpu, [extent, 4]);
  dy.gpu.run(totals, {
    buffers: [sums.buffer],
    params: scalars(extent, pass, 1),
    groups: [Math.ceil(extent / WORKGROUP), 1, 1],
  });
  const { kernel, lanes } = widest(backward, pass.lines.inner);
  const count = threads(dx, pass, lanes);
  dy.gpu.run(kernel, {
    buffers: [dy.buffer, dx.buffer, sums.buffer],
    params: scalars(count, pass, lanes),
    groups: groups1d(count, WORKGROUP),
  });
  return dx;
}

/**
 * Bicubic resize to `height` x `width`, or the `window` of that: `x [B, h, w, C] -> [B, window height, window width, C]`.
 *
 * The same as Pillow's BICUBIC on f32: Keys' kernel with a = -1/2, pixel centres aligned, stretched when it shrinks
 * (antialias), taps beyond the edge dropped. A window of a crop is the same, bit for bit, as that part of the whole.
 * @throws {RangeError} if `x` is a crop that lacks pixels of {@linkcode bicubicSource}
 */
export function bicubicResize(x: Tensor, options: ResizeOptions): Tensor {
  const [batches, height, width, channels] = sizes("bicubic_resize", x, ["B", "h", "w", "C"]);
  const source = options.crop ?? { top: 0, left: 0, height, width };
  const need = bicubicSource(source, options);
  const top = need.top - source.top;
  const left = need.left - source.left;
  if (top < 0 || left < 0 || top + need.height > height || left + need.width > width) {
    throw new RangeError(
      `Cannot run "bicubic_resize": the crop must cover ${show([need.height, need.width])} from ${
        show([need.top, need.left])
      }: it is ${show([height, width])} from ${show([source.top, source.left])}`,
    );
  }
  const axes = axesOf(source, options);
  const rows = { ...axes.rows, partStart: need.top, partLength: need.height };
  const columns = { ...axes.columns, partStart: source.left, partLength: width };
  const inner = columns.extent * channels;
  const y = scoped(x.gpu, () => {
    const wide = resample([x, empty(x.gpu, [batches, need.height, columns.extent, channels])], {
      axis: columns,
      lines: {
        rows: need.height,
        first: top,
        inner: channels,
        rowStride: width * channels,
        batchStride: height * width * channels,
      },
    });
    return resample([wide, empty(x.gpu, [batches, rows.extent, columns.extent, channels])], {
      axis: rows,
      lines: { rows: 1, first: 0, inner, rowStride: 0, batchStride: need.height * inner },
    });
  });
  return record("bicubic_resize", y, {
    inputs: [x],
    saved: [],
    backward: (dy) => {
      if ([rows, columns].some(({ start, extent, result }) => start < 0 || start + extent > result)) {
        throw new RangeError('Cannot differentiate "bicubic_resize": the window must lie within the result');
      }
      const tall = resampleBackward([dy, empty(x.gpu, [batches, height, columns.extent, channels])], {
        axis: { ...rows, partStart: source.top, partLength: height },
        lines: { rows: 1, first: 0, inner, rowStride: 0, batchStride: rows.extent * inner },
      });
      const dx = resampleBackward([tall, empty(x.gpu, x.shape)], {
        axis: columns,
        lines: { rows: height, first: 0, inner: channels, rowStride: inner, batchStride: height * inner },
      });
      return [dx];
    },
  });
}

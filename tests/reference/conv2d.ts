import type { Geometry } from "../../packages/kernels/ops/_conv_geometry.ts";

/** Sizes of a convolution; `pad` zeros lie above and left of x. */
export interface ConvSizes {
  readonly batches: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs: number;
  readonly size: readonly [number, number];
  readonly stride: number;
  readonly pad: { readonly top: number; readonly left: number };
  readonly out: readonly [number, number];
}

/** The same sizes as the kernels have them. */
export function geometryOf({ height, width, channels, outputs, size, stride, pad, out }: ConvSizes): Geometry {
  return {
    n: outputs,
    c_in: channels,
    height,
    width,
    out_height: out[0],
    out_width: out[1],
    kernel_height: size[0],
    kernel_width: size[1],
    stride,
    pad_top: pad.top,
    pad_left: pad.left,
  };
}

/** Calls `visit` with the indices of each product's y, x and weight, of the first output channel. */
function eachProduct(sizes: ConvSizes, visit: (y: number, x: number, weight: number) => void): void {
  const { batches, height, width, channels, outputs, size: [kh, kw], stride, pad, out: [oh, ow] } = sizes;
  for (let at = 0; at < batches * oh * ow; at++) {
    const ox = at % ow, oy = Math.floor(at / ow) % oh, b = Math.floor(at / ow / oh);
    for (let tap = 0; tap < kh * kw; tap++) {
      const iy = oy * stride + Math.floor(tap / kw) - pad.top, ix = ox * stride + tap % kw - pad.left;
      if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
      for (let c = 0; c < channels; c++) {
        visit(at * outputs, ((b * height + iy) * width + ix) * channels + c, (tap * channels + c) * outputs);
      }
    }
  }
}

/** Plain loops in f64: `x [B, h, w, ci]`, `weight [kh, kw, ci, co]`, zero padding, `-> [B, oh, ow, co]`. */
export function convReference(x: ArrayLike<number>, weight: ArrayLike<number>, sizes: ConvSizes): Float64Array {
  const { batches, outputs, out: [oh, ow] } = sizes;
  const y = new Float64Array(batches * oh * ow * outputs);
  eachProduct(sizes, (to, pixel, tap) => {
    for (let o = 0; o < outputs; o++) y[to + o]! += x[pixel]! * weight[tap + o]!;
  });
  return y;
}

/** The gradient of the weight [kh, kw, ci, co], in f64, given that of y: `x [B, h, w, ci]`, `dy [B, oh, ow, co]`. */
export function convWeightReference(x: ArrayLike<number>, dy: ArrayLike<number>, sizes: ConvSizes): Float64Array {
  const { channels, outputs, size: [kh, kw] } = sizes;
  const dw = new Float64Array(kh * kw * channels * outputs);
  eachProduct(sizes, (from, pixel, tap) => {
    for (let o = 0; o < outputs; o++) dw[tap + o]! += x[pixel]! * dy[from + o]!;
  });
  return dw;
}

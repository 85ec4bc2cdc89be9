/** Plain loops in f64: `x [B, h, w, ci]`, `weight [kh, kw, ci, co]`, zero padding, `-> [B, oh, ow, co]`. */
export function convReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  { batches, height, width, channels, outputs, size: [kh, kw], stride, pad, out: [oh, ow] }: {
    readonly batches: number;
    readonly height: number;
    readonly width: number;
    readonly channels: number;
    readonly outputs: number;
    readonly size: readonly [number, number];
    readonly stride: number;
    readonly pad: { readonly top: number; readonly left: number };
    readonly out: readonly [number, number];
  },
): Float64Array {
  const y = new Float64Array(batches * oh * ow * outputs);
  let at = 0;
  for (let b = 0; b < batches; b++) {
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++) {
        for (let o = 0; o < outputs; o++, at++) {
          for (let ky = 0; ky < kh; ky++) {
            for (let kx = 0; kx < kw; kx++) {
              const iy = oy * stride + ky - pad.top;
              const ix = ox * stride + kx - pad.left;
              if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
              for (let c = 0; c < channels; c++) {
                y[at]! += x[((b * height + iy) * width + ix) * channels + c]! *
                  weight[((ky * kw + kx) * channels + c) * outputs + o]!;
              }
            }
          }
        }
      }
    }
  }
  return y;
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { sizes } from "./_shapes.ts";
import source from "./blur.wgsl" with { type: "text" };

const WORKGROUP = 64;

const forms = byElem((elem) =>
  kernel({
    name: "atrous_blur",
    sources: [elem, source],
    entry: "forward",
    binds: { x: "read", y: "write" },
    params: { count: "u32", height: "u32", width: "u32", channels: "u32", dilation: "u32" },
  })
);

export const kernels = { forward_scalar: forms.scalar, forward_vec4: forms.vec4 };

/**
 * Blurs every channel with [1 2 1] x [1 2 1] / 16, the taps `dilation` pixels apart: `x [B, h, w, C] -> [B, h, w, C]`.
 *
 * Edges are replicated. Dilations 1, 2, 4, ... one after the other make the low pass of a wavelet transform.
 * @throws {RangeError} if `dilation` is not a positive whole number
 */
export function atrousBlur(x: Tensor, { dilation }: { dilation: number }): Tensor {
  const [, height, width, channels] = sizes("atrous_blur", x, ["B", "h", "w", "C"]);
  if (!Number.isInteger(dilation) || dilation < 1) {
    throw new RangeError(`Cannot run "atrous_blur": dilation must be a positive whole number: it is ${dilation}`);
  }
  const y = empty(x.gpu, x.shape);
  const { kernel, lanes } = widest(forms, channels);
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    // A larger dilation reads the same edge pixels.
    params: {
      count: x.size / lanes,
      height,
      width,
      channels: channels / lanes,
      dilation: Math.min(dilation, Math.max(height, width)),
    },
    groups: groups1d(x.size / lanes, WORKGROUP),
  });
  return record("atrous_blur", y, [x]);
}

import { type Access, groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { sizes } from "./_shapes.ts";
import source from "./blur.wgsl" with { type: "text" };

const WORKGROUP = 64;

function build<B extends string>(entry: string, binds: Readonly<Record<B, Access>>) {
  return byElem((elem) =>
    kernel({
      name: `atrous_blur.${entry}`,
      sources: [elem, source],
      entry,
      binds,
      params: { count: "u32", length: "u32", inner: "u32", dilation: "u32" },
    })
  );
}

const forward = build("forward", { x: "read", y: "write" });
const backward = build("backward", { dy: "read", dx: "write" });

export const kernels = {
  forward_scalar: forward.scalar,
  forward_vec4: forward.vec4,
  backward_scalar: backward.scalar,
  backward_vec4: backward.vec4,
};

/** An axis that is blurred: `length` samples of `inner` interleaved lines. */
interface Axis {
  readonly length: number;
  readonly inner: number;
}

function dispatch(forms: typeof forward | typeof backward, x: Tensor, axis: Axis & { dilation: number }): Tensor {
  const y = empty(x.gpu, x.shape);
  const { kernel, lanes } = widest<typeof forward.vec4 | typeof backward.vec4>(forms, axis.inner);
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    params: { ...axis, count: x.size / lanes, inner: axis.inner / lanes },
    groups: groups1d(x.size / lanes, WORKGROUP),
  });
  return y;
}

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
  // A larger dilation reads the same edge pixels.
  const reach = Math.min(dilation, Math.max(height, width));
  const rows = { length: height, inner: width * channels, dilation: reach };
  const columns = { length: width, inner: channels, dilation: reach };
  const both = (forms: typeof forward | typeof backward, x: Tensor) =>
    scoped(x.gpu, () => dispatch(forms, dispatch(forms, x, rows), columns));
  return record("atrous_blur", both(forward, x), { inputs: [x], saved: [], backward: (dy) => [both(backward, dy)] });
}

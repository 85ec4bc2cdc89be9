import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape } from "./_shapes.ts";
import source from "./rms_norm.wgsl" with { type: "text" };

/** Rows of a workgroup. */
const ROWS = 8;

export const kernels = {
  forward: kernel({
    name: "rms_norm",
    sources: [source],
    entry: "forward",
    binds: { x: "read", scale: "read", y: "write" },
    params: { rows: "u32", width: "u32", eps: "f32" },
  }),
};

/**
 * `scale x / sqrt(mean(x^2) + eps)` over rows of D: `x [..., D], scale [D] -> [..., D]`.
 * @throws {TypeError} if shapes do not fit
 */
export function rmsNorm(x: Tensor, { scale, eps = 1e-6 }: { scale: Tensor; eps?: number }): Tensor {
  const width = x.shape.at(-1) ?? 1;
  requireShape("rms_norm", { scale }, [width]);
  requireShape("rms_norm", { x }, x.shape);
  const y = empty(x.gpu, x.shape);
  const rows = x.size / width;
  x.gpu.run(kernels.forward, {
    buffers: [x.buffer, scale.buffer, y.buffer],
    params: { rows, width, eps },
    groups: groups1d(rows, ROWS),
  });
  return record("rms_norm", y, [x, scale]);
}

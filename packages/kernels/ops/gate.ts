import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import source from "./gate.wgsl" with { type: "text" };

const WORKGROUP = 64;

export const kernels = {
  forward: kernel({
    name: "gate_residual",
    sources: [source],
    entry: "forward",
    binds: { x: "read", y: "read", gate: "read", out: "write" },
    params: { count: "u32", length: "u32", width: "u32" },
  }),
};

/**
 * `x + gate y`, the gate being the same for all tokens: `x [B, L, D], y [B, L, D], gate [B, D] -> [B, L, D]`.
 * @throws {TypeError} if shapes do not fit
 */
export function gateResidual(x: Tensor, y: Tensor, { gate }: { gate: Tensor }): Tensor {
  const [batches, length, width] = sizes("gate_residual", x, ["B", "L", "D"]);
  requireShape("gate_residual", { y }, x.shape);
  requireShape("gate_residual", { gate }, [batches, width]);
  const out = empty(x.gpu, x.shape);
  x.gpu.run(kernels.forward, {
    buffers: [x, y, gate, out].map(({ buffer }) => buffer),
    params: { count: x.size, length, width },
    groups: groups1d(x.size, WORKGROUP),
  });
  return record("gate_residual", out, [x, y, gate]);
}

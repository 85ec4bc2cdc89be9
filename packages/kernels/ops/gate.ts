import { groups1d, kernel } from "../gpu/kernel.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import { columnSum } from "./column_sum.ts";
import source from "./gate.wgsl" with { type: "text" };
import { reshape } from "./reshape.ts";

const WORKGROUP = 64;
/** Tokens that one thread of the gradient adds up. */
const STRIP = 32;

const common = { sources: [source], params: { batches: "u32", length: "u32", width: "u32" } } as const;

/** Which gradients are wanted. */
interface Wanted {
  readonly y: boolean;
  readonly gate: boolean;
}

function backward(wanted: Wanted) {
  return kernel({
    ...common,
    name: "gate_residual.backward",
    entry: "backward",
    binds: { g: "read", y: "read", gate: "read", dy: "write", parts: "write" },
    constants: { STRIP, WITH_Y: Number(wanted.y), WITH_GATE: Number(wanted.gate) },
  });
}

export const kernels = {
  forward: kernel({
    ...common,
    name: "gate_residual",
    entry: "forward",
    binds: { x: "read", y: "read", gate: "read", out: "write" },
  }),
  backward: backward({ y: true, gate: true }),
  backward_y: backward({ y: true, gate: false }),
  backward_gate: backward({ y: false, gate: true }),
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
    params: { batches, length, width },
    groups: groups1d(x.size, WORKGROUP),
  });
  const wanted = { y: tracked(y), gate: tracked(gate) };
  return record("gate_residual", out, [x, y, gate], (dout) => [dout, ...gradients(dout, { y, gate, wanted })]);
}

/** The gradients of y and of the gate, of those that are wanted. */
function gradients(
  dout: Tensor,
  { y, gate, wanted }: { y: Tensor; gate: Tensor; wanted: Wanted },
): [Tensor | undefined, Tensor | undefined] {
  if (!wanted.y && !wanted.gate) return [undefined, undefined];
  const [batches, length, width] = sizes("gate_residual", y, ["B", "L", "D"]);
  requireShape("gate_residual", { dout }, y.shape);
  const strips = Math.ceil(length / STRIP);
  // What is not wanted is not written, but needs a buffer of its own all the same.
  const dy = empty(y.gpu, wanted.y ? y.shape : [1]);
  const parts = empty(y.gpu, wanted.gate ? [strips, batches * width] : [1]);
  const both = wanted.y && wanted.gate;
  y.gpu.run(both ? kernels.backward : wanted.y ? kernels.backward_y : kernels.backward_gate, {
    buffers: [dout, y, gate, dy, parts].map(({ buffer }) => buffer),
    params: { batches, length, width },
    groups: groups1d(strips * batches * width, WORKGROUP),
  });
  return [wanted.y ? dy : undefined, wanted.gate ? reshape(columnSum(parts), gate.shape) : undefined];
}

import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape, sizes } from "./_shapes.ts";
import { columnSum } from "./column_sum.ts";
import source from "./gate.wgsl" with { type: "text" };
import { reshape } from "./reshape.ts";

const WORKGROUP = 64;
/** Tokens of a strip, few enough for processors to foresee what is read next (32 on llvmpipe: three times as slow). */
const STRIP = 8;

const params = { batches: "u32", length: "u32", width: "u32" } as const;

/** Which gradients are wanted. */
interface Wanted {
  readonly y: boolean;
  readonly gate: boolean;
}

const forward = byElem((elem) =>
  kernel({
    name: "gate_residual",
    sources: [elem, source],
    entry: "forward",
    binds: { x: "read", y: "read", gate: "read", out: "write" },
    params,
    constants: { STRIP, WORKGROUP },
  })
);

function backward(wanted: Wanted) {
  return byElem((elem) =>
    kernel({
      name: "gate_residual.backward",
      sources: [elem, source],
      entry: "backward",
      binds: { g: "read", y: "read", gate: "read", dy: "write", parts: "write" },
      params,
      constants: { STRIP, WORKGROUP, WITH_Y: Number(wanted.y), WITH_GATE: Number(wanted.gate) },
    })
  );
}

const both = backward({ y: true, gate: true });
const onlyY = backward({ y: true, gate: false });
const onlyGate = backward({ y: false, gate: true });

export const kernels: Readonly<Record<string, Kernel>> = {
  forward_scalar: forward.scalar,
  forward_vec4: forward.vec4,
  backward_scalar: both.scalar,
  backward_vec4: both.vec4,
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
  const { kernel, lanes } = widest(forward, width);
  x.gpu.run(kernel, {
    buffers: [x, y, gate, out].map(({ buffer }) => buffer),
    params: { batches, length, width: width / lanes },
    groups: groups1d(Math.ceil(length / STRIP) * batches * width / lanes, WORKGROUP),
  });
  const wanted = { y: tracked(y), gate: tracked(gate) };
  const all = (dout: Tensor) => [dout, ...gradients(dout, { y, gate, wanted })];
  return record("gate_residual", out, { inputs: [x, y, gate], saved: [y, gate], backward: all });
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
  const { kernel, lanes } = widest(wanted.y && wanted.gate ? both : wanted.y ? onlyY : onlyGate, width);
  y.gpu.run(kernel, {
    buffers: [dout, y, gate, dy, parts].map(({ buffer }) => buffer),
    params: { batches, length, width: width / lanes },
    groups: groups1d(strips * batches * width / lanes, WORKGROUP),
  });
  return [wanted.y ? dy : undefined, wanted.gate ? reshape(columnSum(parts), gate.shape) : undefined];
}

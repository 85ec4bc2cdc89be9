import { groups1d, kernel } from "../gpu/kernel.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape } from "./_shapes.ts";
import { columnSum } from "./column_sum.ts";
import source from "./rms_norm.wgsl" with { type: "text" };

/** Rows of a workgroup. */
const ROWS = 8;
/** Rows that the same threads of the gradient add up. */
const STRIP = 32;

const common = { sources: [source], params: { rows: "u32", width: "u32", strip: "u32", eps: "f32" } } as const;

/** Which gradients are wanted. */
interface Wanted {
  readonly x: boolean;
  readonly scale: boolean;
}

function backward(wanted: Wanted) {
  return kernel({
    ...common,
    name: "rms_norm.backward",
    entry: "backward",
    binds: { x: "read", scale: "read", dy: "read", dx: "write", parts: "write" },
    constants: { WITH_X: Number(wanted.x), WITH_SCALE: Number(wanted.scale) },
  });
}

export const kernels = {
  forward: kernel({
    ...common,
    name: "rms_norm",
    entry: "forward",
    binds: { x: "read", scale: "read", y: "write" },
  }),
  backward: backward({ x: true, scale: true }),
  backward_x: backward({ x: true, scale: false }),
  backward_scale: backward({ x: false, scale: true }),
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
    params: { rows, width, strip: 1, eps },
    groups: groups1d(rows, ROWS),
  });
  const wanted = { x: tracked(x), scale: tracked(scale) };
  return record("rms_norm", y, [x, scale], (dy) => gradients(dy, { x, scale, eps, wanted }));
}

/** The gradients of x and scale, of those that are wanted. */
function gradients(
  dy: Tensor,
  { x, scale, eps, wanted }: { x: Tensor; scale: Tensor; eps: number; wanted: Wanted },
): [Tensor | undefined, Tensor | undefined] {
  requireShape("rms_norm", { dy }, x.shape);
  const width = scale.size;
  const rows = x.size / width;
  // Without sums over rows, every row is for itself.
  const strip = wanted.scale ? STRIP : 1;
  const strips = Math.ceil(rows / strip);
  // What is not wanted is not written, but needs a buffer of its own all the same.
  const dx = empty(x.gpu, wanted.x ? x.shape : [1]);
  const parts = empty(x.gpu, wanted.scale ? [strips, width] : [1]);
  const both = wanted.x && wanted.scale;
  x.gpu.run(both ? kernels.backward : wanted.x ? kernels.backward_x : kernels.backward_scale, {
    buffers: [x, scale, dy, dx, parts].map(({ buffer }) => buffer),
    params: { rows, width, strip, eps },
    groups: groups1d(strips, ROWS),
  });
  return [wanted.x ? dx : undefined, wanted.scale ? columnSum(parts) : undefined];
}

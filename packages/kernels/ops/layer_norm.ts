import { groups1d, kernel } from "../gpu/kernel.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import { columnSum } from "./column_sum.ts";
import { split } from "./concat.ts";
import source from "./layer_norm.wgsl" with { type: "text" };
import { reshape } from "./reshape.ts";

/** Rows that one workgroup of the gradient adds up. */
const STRIP = 16;

const common = {
  sources: [reduce, source],
  params: { batches: "u32", length: "u32", width: "u32", strip: "u32", eps: "f32" },
} as const;

function forward(modulated: boolean) {
  return kernel({
    ...common,
    name: `layer_norm.${modulated ? "modulated" : "plain"}`,
    entry: "forward",
    binds: { x: "read", shift: "read", scale: "read", y: "write" },
    constants: { MODULATED: Number(modulated) },
  });
}

/** Which gradients are wanted; those of shift and scale are computed together. */
interface Wanted {
  readonly x: boolean;
  readonly modulation: boolean;
}

function backward(modulated: boolean, wanted: Wanted) {
  return kernel({
    ...common,
    name: `layer_norm.backward_${modulated ? "modulated" : "plain"}`,
    entry: "backward",
    binds: { x: "read", dy: "read", scale: "read", dx: "write", parts: "write" },
    constants: {
      MODULATED: Number(modulated),
      WITH_X: Number(wanted.x),
      WITH_MODULATION: Number(wanted.modulation),
    },
  });
}

export const kernels = {
  plain: forward(false),
  modulated: forward(true),
  backward_plain: backward(false, { x: true, modulation: false }),
  backward_modulated: backward(true, { x: true, modulation: true }),
  backward_modulated_x: backward(true, { x: true, modulation: false }),
  backward_modulation: backward(true, { x: false, modulation: true }),
};

/** Options of {@linkcode layerNorm}; `shift` and `scale` [B, D] go together. */
export interface LayerNormOptions {
  readonly shift?: Tensor | undefined;
  readonly scale?: Tensor | undefined;
  readonly eps?: number;
}

/**
 * `(1 + scale) LN(x) + shift` over rows of D: `x [B, L, D], shift [B, D], scale [B, D] -> [B, L, D]`.
 *
 * LN has no weights of its own; without `shift` and `scale` it is LN alone. The variance is biased.
 * @throws {TypeError} if shapes do not fit or only one of `shift` and `scale` is given
 */
export function layerNorm(x: Tensor, { shift, scale, eps = 1e-6 }: LayerNormOptions = {}): Tensor {
  const [batches, length, width] = sizes("layer_norm", x, ["B", "L", "D"]);
  if ((shift === undefined) !== (scale === undefined)) {
    throw new TypeError('Cannot run "layer_norm": shift and scale go together: only one is given');
  }
  const modulation = shift && scale ? { shift, scale } : undefined;
  if (modulation) requireShape("layer_norm", modulation, [batches, width]);
  const y = empty(x.gpu, x.shape);
  x.gpu.run(modulation ? kernels.modulated : kernels.plain, {
    // Bindings that the plain form does not read need a buffer all the same.
    buffers: [x, shift ?? x, scale ?? x, y].map(({ buffer }) => buffer),
    params: { batches, length, width, strip: 1, eps },
    groups: groups1d(batches * length, 1),
  });
  const inputs = [x, ...Object.values(modulation ?? {})];
  const wanted = { x: tracked(x), modulation: inputs.slice(1).some(tracked) };
  return record("layer_norm", y, inputs, (dy) => gradients(dy, { x, scale, eps, wanted }));
}

/** The gradients of x, shift and scale, of those that are wanted. */
function gradients(
  dy: Tensor,
  { x, scale, eps, wanted }: { x: Tensor; scale: Tensor | undefined; eps: number; wanted: Wanted },
): readonly (Tensor | undefined)[] {
  const [batches, length, width] = sizes("layer_norm", x, ["B", "L", "D"]);
  requireShape("layer_norm", { dy }, x.shape);
  // Without sums over rows, every row is for itself.
  const strip = wanted.modulation ? STRIP : 1;
  const strips = Math.ceil(length / strip);
  // What is not wanted is not written, but needs a buffer of its own all the same.
  const dx = empty(x.gpu, wanted.x ? x.shape : [1]);
  const parts = empty(x.gpu, wanted.modulation ? [strips, 2 * batches * width] : [1]);
  x.gpu.run(form(scale !== undefined, wanted), {
    buffers: [x, dy, scale ?? x, dx, parts].map(({ buffer }) => buffer),
    params: { batches, length, width, strip, eps },
    groups: groups1d(batches * strips, 1),
  });
  const sums = wanted.modulation ? split(reshape(columnSum(parts), [2 * batches, width]), 0, [batches, batches]) : [];
  return [wanted.x ? dx : undefined, ...sums];
}

function form(modulated: boolean, wanted: Wanted) {
  if (!modulated) return kernels.backward_plain;
  if (!wanted.modulation) return kernels.backward_modulated_x;
  return wanted.x ? kernels.backward_modulated : kernels.backward_modulation;
}

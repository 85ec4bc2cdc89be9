import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import source from "./layer_norm.wgsl" with { type: "text" };

function build(affine: boolean) {
  return kernel({
    name: `layer_norm.${affine ? "modulated" : "plain"}`,
    sources: [reduce, source],
    entry: "forward",
    binds: { x: "read", shift: "read", scale: "read", y: "write" },
    params: { rows: "u32", rows_per_batch: "u32", width: "u32", eps: "f32" },
    constants: { AFFINE: Number(affine) },
  });
}

export const kernels = { plain: build(false), modulated: build(true) };

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
  const rows = batches * length;
  x.gpu.run(modulation ? kernels.modulated : kernels.plain, {
    // Bindings that the plain form does not read need a buffer all the same.
    buffers: [x, shift ?? x, scale ?? x, y].map(({ buffer }) => buffer),
    params: { rows, rows_per_batch: length, width, eps },
    groups: groups1d(rows, 1),
  });
  return record("layer_norm", y, [x, ...Object.values(modulation ?? {})]);
}

import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape, sizes } from "./_shapes.ts";
import { stripOf, type Team, teamGroups, teamOf, teamSum } from "./_team.ts";
import { columnSum } from "./column_sum.ts";
import { split } from "./concat.ts";
import source from "./layer_norm.wgsl" with { type: "text" };
import { reshape } from "./reshape.ts";

/** Threads of a workgroup of the gradients. */
const WORKGROUP = 64;

const params = { batches: "u32", length: "u32", width: "u32", strips: "u32", share: "f32", eps: "f32" } as const;

interface Variant extends Team {
  readonly modulated: boolean;
}

/** Which gradients are wanted. */
interface Wanted {
  readonly x: boolean;
  readonly modulation: boolean;
}

function constantsOf({ team, workgroup, modulated }: Variant) {
  return { TEAM: team, WORKGROUP: workgroup, MODULATED: Number(modulated) };
}

const forward = variants((variant: Variant) =>
  byElem((elem) =>
    kernel({
      name: "layer_norm",
      sources: [elem, teamSum, source],
      entry: "forward",
      binds: { x: "read", shift: "read", y: "write", scale: "read", moments: "write" },
      params,
      constants: constantsOf(variant),
    })
  )
);
const backwardRows = variants((variant: Variant) =>
  byElem((elem) =>
    kernel({
      name: "layer_norm.backward_rows",
      sources: [elem, teamSum, source],
      entry: "backward_rows",
      binds: { x: "read", dy: "read", known: "read", scale: "read", lines: "write" },
      params,
      constants: constantsOf(variant),
    })
  )
);
const backward = variants(({ x, modulation, modulated }: Wanted & { modulated: boolean }) =>
  byElem((elem) =>
    kernel({
      name: "layer_norm.backward",
      sources: [elem, teamSum, source],
      entry: "backward",
      binds: { x: "read", dy: "read", line_of: "read", scale: "read", dx: "write", parts: "write" },
      params,
      constants: {
        WORKGROUP,
        MODULATED: Number(modulated),
        WITH_X: Number(x),
        WITH_MODULATION: Number(modulation),
      },
    })
  )
);

const alone = { team: 1, workgroup: 8, modulated: true };
const shared = { team: 64, workgroup: 64, modulated: false };
const all = { x: true, modulation: true, modulated: true };

/** Some variants, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  forward_scalar: forward(alone).scalar,
  forward_vec4: forward(shared).vec4,
  backward_rows_scalar: backwardRows(alone).scalar,
  backward_rows_vec4: backwardRows(shared).vec4,
  backward_scalar: backward(all).scalar,
  backward_vec4: backward(all).vec4,
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
  // Mean and reciprocal deviation of each row, which the gradients need too.
  using moments = empty(x.gpu, [batches, length, 2]);
  // Bindings that the plain form does not read need a buffer all the same.
  byRow(forward, [x, shift ?? x, y, scale ?? x, moments], { modulated: modulation !== undefined, eps });
  const inputs = [x, moments, ...Object.values(modulation ?? {})];
  const wanted = { x: tracked(x), modulation: inputs.slice(2).some(tracked) };
  const gradients = (dy: Tensor) => {
    requireShape("layer_norm", { dy }, x.shape);
    const [dx, ...rest] = gradientsOf(dy, { x, moments, scale }, wanted);
    return [dx, undefined, ...rest];
  };
  return record("layer_norm", y, { inputs, saved: inputs, backward: gradients });
}

/** Runs a kernel that has a team for each row of `x`, the first of `tensors`. */
function byRow(
  variant: typeof forward | typeof backwardRows,
  tensors: readonly [Tensor, ...Tensor[]],
  { modulated, eps }: { modulated: boolean; eps: number },
): void {
  const [{ gpu, shape: [batches = 1, length = 1, width = 1] }] = tensors;
  const team = teamOf(gpu, width);
  const { kernel, lanes } = widest<Kernel<string, keyof typeof params>>(variant({ ...team, modulated }), width);
  gpu.run(kernel, {
    buffers: tensors.map(({ buffer }) => buffer),
    params: { batches, length, width: width / lanes, strips: 0, share: 1 / width, eps },
    groups: teamGroups(team, batches * length),
  });
}

/** Of the gradients of x, shift and scale those that are wanted. */
function gradientsOf(
  dy: Tensor,
  { x, moments, scale }: { x: Tensor; moments: Tensor; scale: Tensor | undefined },
  wanted: Wanted,
): (Tensor | undefined)[] {
  const [batches, length, width] = sizes("layer_norm", x, ["B", "L", "D"]);
  const modulated = scale !== undefined;
  const lines = empty(x.gpu, [batches, length, 4]);
  byRow(backwardRows, [x, dy, moments, scale ?? x, lines], { modulated, eps: 0 });
  const strips = Math.ceil(length / stripOf(x.gpu));
  // What is not wanted is not written, but needs a buffer of its own all the same.
  const dx = empty(x.gpu, wanted.x ? x.shape : [1]);
  const parts = empty(x.gpu, wanted.modulation ? [strips, 2 * batches * width] : [1]);
  const { kernel, lanes } = widest(backward({ ...wanted, modulated }), width);
  x.gpu.run(kernel, {
    buffers: [x, dy, lines, scale ?? x, dx, parts].map(({ buffer }) => buffer),
    params: { batches, length, width: width / lanes, strips, share: 0, eps: 0 },
    groups: groups1d(strips * batches * width / lanes, WORKGROUP),
  });
  const modulation = wanted.modulation
    ? split(reshape(columnSum(parts), [2 * batches, width]), 0, [batches, batches])
    : [];
  return [wanted.x ? dx : undefined, ...modulation];
}

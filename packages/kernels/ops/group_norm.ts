import { type Access, groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import scalar from "./_elem_scalar.wgsl" with { type: "text" };
import { requireShape, sizes } from "./_shapes.ts";
import { columnSum } from "./column_sum.ts";
import { split } from "./concat.ts";
import source from "./group_norm.wgsl" with { type: "text" };
import { groupNormStats } from "./moments.ts";

const WORKGROUP = 64;

const params = {
  batches: "u32",
  pixels: "u32",
  channels: "u32",
  strips: "u32",
  groups: "u32",
  eps: "f32",
  share: "f32",
} as const;

/** Sizes and constants of a call. */
type Size = Readonly<Record<Exclude<keyof typeof params, "strips">, number>>;

/**
 * Kernels in which a thread goes along a strip of pixels: `strip` of them, few enough for processors to foresee what is
 * read next (on llvmpipe 16 in three arrays take twice as long as 8).
 */
function byStrip(entry: string, { strip, binds }: { strip: number; binds: Readonly<Record<string, Access>> }) {
  const build = (silu: boolean) =>
    byElem((elem) =>
      kernel({
        name: `group_norm.${entry}${silu ? ".silu" : ""}`,
        sources: [elem, source],
        entry,
        binds,
        params,
        constants: { SILU: Number(silu) },
      })
    );
  return { plain: build(false), silu: build(true), strip };
}

const operands = { x: "read", factors: "read", bias: "read" } as const;
const apply = byStrip("apply", { strip: 16, binds: { ...operands, y: "write" } });
const sums = byStrip("backward_sums", { strip: 16, binds: { ...operands, dy: "read", partials: "write" } });
const gradient = byStrip("backward_x", { strip: 8, binds: { ...operands, dy: "read", line: "read", dx: "write" } });
const coefficients = kernel({
  name: "group_norm.coefficients",
  sources: [scalar, source],
  entry: "coefficients",
  binds: { stats: "read", weight: "read", spread: "write" },
  params,
});
const lines = kernel({
  name: "group_norm.backward_lines",
  sources: coefficients.sources,
  entry: "backward_lines",
  binds: { stats: "read", weight: "read", totals: "read", sums: "write", lines: "write" },
  params,
});

export const kernels = {
  coefficients,
  lines,
  apply_scalar: apply.plain.scalar,
  apply_vec4: apply.plain.vec4,
  silu_scalar: apply.silu.scalar,
  silu_vec4: apply.silu.vec4,
  sums_scalar: sums.plain.scalar,
  sums_vec4: sums.plain.vec4,
  silu_sums_scalar: sums.silu.scalar,
  silu_sums_vec4: sums.silu.vec4,
  x_scalar: gradient.plain.scalar,
  x_vec4: gradient.plain.vec4,
  silu_x_scalar: gradient.silu.scalar,
  silu_x_vec4: gradient.silu.vec4,
};

/** Options of {@linkcode groupNorm}: `weight` and `bias` are [C], `silu` applies SiLU to the result. */
export interface GroupNormOptions {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly eps?: number;
  readonly silu?: boolean;
}

/** What forward and backward read. */
interface Operands {
  readonly x: Tensor;
  readonly stats: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly silu: boolean;
  readonly size: Size;
}

/** Runs a kernel of `forms` on all strips; the last of `tensors` is its result. */
function overStrips(forms: ReturnType<typeof byStrip>, tensors: readonly Tensor[], { silu, size }: Operands): void {
  const { kernel, lanes } = widest(silu ? forms.silu : forms.plain, size.channels);
  const [strips, channels] = [Math.ceil(size.pixels / forms.strip), size.channels / lanes];
  tensors[0]?.gpu.run(kernel, {
    buffers: tensors.map(({ buffer }) => buffer),
    params: { ...size, channels, strips },
    groups: groups1d(size.batches * strips * channels, WORKGROUP),
  });
}

/** Mean and weight / deviation of every channel: [B, 2, C]. */
function factorsOf({ stats, weight, size }: Operands): Tensor {
  const factors = empty(stats.gpu, [size.batches, 2, size.channels]);
  stats.gpu.run(coefficients, {
    buffers: [stats, weight, factors].map(({ buffer }) => buffer),
    params: { ...size, strips: 0 },
    groups: groups1d(size.batches * size.channels, WORKGROUP),
  });
  return factors;
}

/** The gradients of x, stats (none: their part is in that of x), weight and bias. */
function backward(
  dy: Tensor,
  operands: Operands,
  wanted: { readonly x: boolean; readonly affine: boolean },
): (Tensor | undefined)[] {
  const { x, stats, weight, bias, size: { batches, pixels, channels } } = operands;
  const factors = factorsOf(operands);
  const strips = Math.ceil(pixels / sums.strip);
  const partials = empty(x.gpu, [strips, batches * 2 * channels]);
  overStrips(sums, [x, factors, bias, dy, partials], operands);
  const affine = empty(x.gpu, [batches, 2 * channels]);
  const line = empty(x.gpu, [batches, 2 * channels]);
  x.gpu.run(lines, {
    buffers: [stats, weight, columnSum(partials), affine, line].map(({ buffer }) => buffer),
    params: { ...operands.size, strips },
    groups: groups1d(batches * channels, WORKGROUP),
  });
  const dx = wanted.x ? empty(x.gpu, x.shape) : undefined;
  if (dx) overStrips(gradient, [x, factors, bias, dy, line, dx], operands);
  const [dbias, dweight] = wanted.affine ? split(columnSum(affine), 0, [channels, channels]) : [];
  return [dx, undefined, dweight, dbias];
}

/** Statistics are those of `x` itself, or foreign: those are constants for the gradient. */
function normalise(
  x: Tensor,
  { stats, weight, bias, eps = 1e-6, silu = false, own }: GroupNormOptions & { stats: Tensor; own: boolean },
): Tensor {
  const [batches, height, width, channels] = sizes("group_norm", x, ["B", "h", "w", "C"]);
  const groups = stats.shape.at(-1) ?? 1;
  requireShape("group_norm", { weight, bias }, [channels]);
  requireShape("group_norm", { stats }, [batches, 2, groups]);
  if (!Number.isInteger(channels / groups)) {
    throw new RangeError(`Cannot run "group_norm": groups must divide the ${channels} channels: groups is ${groups}`);
  }
  const pixels = height * width;
  const share = own ? groups / (pixels * channels) : 0;
  const operands = { x, stats, weight, bias, silu, size: { batches, pixels, channels, groups, eps, share } };
  const y = empty(x.gpu, x.shape);
  scoped(x.gpu, () => overStrips(apply, [x, factorsOf(operands), bias, y], operands));
  const wanted = { x: tracked(x), affine: tracked(weight) || tracked(bias) };
  const isDifferentiable = own || !tracked(stats);
  const gradients = isDifferentiable ? (dy: Tensor) => backward(dy, operands, wanted) : undefined;
  const inputs = [x, stats, weight, bias];
  return record("group_norm", y, { inputs, saved: inputs, backward: gradients });
}

/**
 * Normalises with statistics from elsewhere, e.g. of a whole picture of which `x` is a tile:
 * `x [B, h, w, C], stats [B, 2, groups] -> [B, h, w, C]`, with the stats of {@linkcode groupNormStats}.
 *
 * For the gradient the statistics are constants; if they depend on a watched tensor, there is none.
 * @throws {TypeError} if shapes do not fit
 */
export function groupNormApply(x: Tensor, options: GroupNormOptions & { stats: Tensor }): Tensor {
  return normalise(x, { ...options, own: false });
}

/**
 * Group norm, with SiLU after it if wanted: `x [B, h, w, C], weight [C], bias [C] -> [B, h, w, C]`.
 *
 * Mean and biased variance are over all pixels and the C / groups channels of a group.
 * @throws {TypeError} if shapes do not fit
 * @throws {RangeError} if `groups` does not divide C
 */
export function groupNorm(x: Tensor, { groups, ...options }: GroupNormOptions & { groups: number }): Tensor {
  return scoped(x.gpu, () => normalise(x, { ...options, stats: groupNormStats(x, { groups }), own: true }));
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape, sizes } from "./_shapes.ts";
import source from "./group_norm.wgsl" with { type: "text" };
import { groupNormStats } from "./moments.ts";

const WORKGROUP = 64;
/** Pixels that one thread of `apply` computes. */
const STRIP = 16;
const params = { batches: "u32", pixels: "u32", channels: "u32", strips: "u32", groups: "u32", eps: "f32" } as const;

function build(silu: boolean) {
  return byElem((elem) =>
    kernel({
      name: `group_norm.${silu ? "silu" : "apply"}`,
      sources: [elem, source],
      entry: "apply",
      binds: { x: "read", factors: "read", bias: "read", y: "write" },
      params,
      constants: { STRIP, SILU: Number(silu) },
    })
  );
}

const plain = build(false);
const activated = build(true);

export const kernels = {
  coefficients: kernel({
    name: "group_norm.coefficients",
    sources: plain.scalar.sources,
    entry: "coefficients",
    binds: { stats: "read", weight: "read", spread: "write" },
    params,
  }),
  apply_scalar: plain.scalar,
  apply_vec4: plain.vec4,
  silu_scalar: activated.scalar,
  silu_vec4: activated.vec4,
};

/** Options of {@linkcode groupNorm}: `weight` and `bias` are [C], `silu` applies SiLU to the result. */
export interface GroupNormOptions {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly eps?: number;
  readonly silu?: boolean;
}

/**
 * Normalises with statistics from elsewhere, e.g. of a whole picture of which `x` is a tile:
 * `x [B, h, w, C], stats [B, 2, groups] -> [B, h, w, C]`, with the stats of {@linkcode groupNormStats}.
 * @throws {TypeError} if shapes do not fit
 */
export function groupNormApply(
  x: Tensor,
  { stats, weight, bias, eps = 1e-6, silu = false }: GroupNormOptions & { stats: Tensor },
): Tensor {
  const [batches, height, width, channels] = sizes("group_norm", x, ["B", "h", "w", "C"]);
  const groups = stats.shape.at(-1) ?? 1;
  requireShape("group_norm", { weight, bias }, [channels]);
  requireShape("group_norm", { stats }, [batches, 2, groups]);
  if (!Number.isInteger(channels / groups)) {
    throw new RangeError(`Cannot run "group_norm": groups must divide the ${channels} channels: groups is ${groups}`);
  }
  const pixels = height * width;
  const strips = Math.ceil(pixels / STRIP);
  const common = { batches, pixels, strips, groups, eps };
  const y = empty(x.gpu, x.shape);
  scoped(x.gpu, () => {
    const factors = empty(x.gpu, [batches, 2, channels]);
    x.gpu.run(kernels.coefficients, {
      buffers: [stats, weight, factors].map(({ buffer }) => buffer),
      params: { ...common, channels },
      groups: groups1d(batches * channels, WORKGROUP),
    });
    const { kernel, lanes } = widest(silu ? activated : plain, channels);
    x.gpu.run(kernel, {
      buffers: [x, factors, bias, y].map(({ buffer }) => buffer),
      params: { ...common, channels: channels / lanes },
      groups: groups1d(batches * strips * channels / lanes, WORKGROUP),
    });
  });
  return record("group_norm", y, [x, stats, weight, bias]);
}

/**
 * Group norm, with SiLU after it if wanted: `x [B, h, w, C], weight [C], bias [C] -> [B, h, w, C]`.
 *
 * Mean and biased variance are over all pixels and the C / groups channels of a group.
 * @throws {TypeError} if shapes do not fit
 * @throws {RangeError} if `groups` does not divide C
 */
export function groupNorm(x: Tensor, { groups, ...options }: GroupNormOptions & { groups: number }): Tensor {
  return scoped(x.gpu, () => groupNormApply(x, { ...options, stats: groupNormStats(x, { groups }) }));
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import scalar from "./_elem_scalar.wgsl" with { type: "text" };
import { sizes } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import source from "./moments.wgsl" with { type: "text" };

const WORKGROUP = 64;
/** Pixels that one thread reads. */
const STRIP = 64;
const params = { batches: "u32", pixels: "u32", channels: "u32", strips: "u32", groups: "u32" } as const;

const partial = byElem((elem) =>
  kernel({
    name: "moments.partial",
    sources: [elem, reduce, source],
    entry: "partial",
    binds: { x: "read", partials: "write" },
    params,
    constants: { STRIP },
  })
);

/** Few and large groups: more threads than elsewhere share one. */
function merge(deviation: boolean) {
  return kernel({
    name: `moments.${deviation ? "deviation" : "variance"}`,
    sources: [scalar, reduce, source],
    entry: "merge",
    binds: { parts: "read", moments: "write" },
    params,
    constants: { STRIP, WORKGROUP: 256, DEVIATION: Number(deviation) },
  });
}

export const kernels = {
  partial_scalar: partial.scalar,
  partial_vec4: partial.vec4,
  variance: merge(false),
  deviation: merge(true),
};

function moments(
  op: string,
  x: Tensor,
  { merge, groups }: { merge: typeof kernels.variance; groups?: number },
): Tensor {
  const [batches, height, width, channels] = sizes(op, x, ["B", "h", "w", "C"]);
  const parts = groups ?? channels;
  if (!Number.isInteger(channels / parts)) {
    throw new RangeError(`Cannot run "${op}": groups must divide the ${channels} channels: groups is ${parts}`);
  }
  const pixels = height * width;
  const strips = Math.ceil(pixels / STRIP);
  const result = scoped(x.gpu, () => {
    const { kernel, lanes } = widest(partial, channels);
    const partials = empty(x.gpu, [batches, strips, 2, channels]);
    const common = { batches, pixels, strips, groups: parts };
    x.gpu.run(kernel, {
      buffers: [x.buffer, partials.buffer],
      params: { ...common, channels: channels / lanes },
      groups: groups1d(batches * strips * channels / lanes, WORKGROUP),
    });
    const y = empty(x.gpu, [batches, 2, parts]);
    x.gpu.run(merge, {
      buffers: [partials.buffer, y.buffer],
      params: { ...common, channels },
      groups: groups1d(batches * parts, 1),
    });
    return y;
  });
  return record(op, result, [x]);
}

/**
 * Mean and biased variance over the pixels and channels of each group: `x [B, h, w, C] -> [B, 2, groups]`.
 *
 * The variance is without eps, so that statistics of several tiles can be merged: with n pixels each,
 * `mean = sum n_i mean_i / n` and `variance = sum n_i (variance_i + (mean_i - mean)^2) / n`.
 * @throws {RangeError} if `groups` does not divide C
 */
export function groupNormStats(x: Tensor, { groups }: { groups: number }): Tensor {
  return moments("group_norm_stats", x, { merge: kernels.variance, groups });
}

/** Mean and unbiased standard deviation of every channel: `x [B, h, w, C] -> [B, 2, C]`; 0 for a single pixel. */
export function meanStd(x: Tensor): Tensor {
  return moments("mean_std", x, { merge: kernels.deviation });
}

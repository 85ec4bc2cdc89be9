import { groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import scalar from "./_elem_scalar.wgsl" with { type: "text" };
import { sizes } from "./_shapes.ts";
import source from "./moments.wgsl" with { type: "text" };

const WORKGROUP = 64;
/** Pixels that one thread reads at most, few enough for processors to foresee what is read next. */
const STRIP = 16;
/** Rows of partial results that one thread joins. */
const JOINED = 64;
const params = {
  batches: "u32",
  pixels: "u32",
  channels: "u32",
  from_rows: "u32",
  rows: "u32",
  groups: "u32",
} as const;

function toRows(entry: "partial" | "join") {
  return byElem((elem) =>
    kernel({
      name: `moments.${entry}`,
      sources: [elem, source],
      entry,
      binds: { x: "read", partials: "write" },
      params,
      constants: { WORKGROUP },
    })
  );
}

function finish(deviation: boolean) {
  return kernel({
    name: `moments.${deviation ? "deviation" : "variance"}`,
    sources: [scalar, source],
    entry: "finish",
    binds: { parts: "read", moments: "write" },
    params,
    constants: { WORKGROUP, DEVIATION: Number(deviation) },
  });
}

const partial = toRows("partial");
const join = toRows("join");

export const kernels = {
  partial_scalar: partial.scalar,
  partial_vec4: partial.vec4,
  join_scalar: join.scalar,
  join_vec4: join.vec4,
  variance: finish(false),
  deviation: finish(true),
};

function moments(
  op: string,
  x: Tensor,
  { finish, groups }: { finish: typeof kernels.variance; groups?: number },
): Tensor {
  const [batches, height, width, channels] = sizes(op, x, ["B", "h", "w", "C"]);
  const parts = groups ?? channels;
  if (!Number.isInteger(channels / parts)) {
    throw new RangeError(`Cannot run "${op}": groups must divide the ${channels} channels: groups is ${parts}`);
  }
  const common = { batches, pixels: height * width, groups: parts };
  const result = scoped(x.gpu, () => {
    const reduced = (from: Tensor, forms: typeof partial, { from_rows, rows }: { from_rows: number; rows: number }) => {
      const { kernel, lanes } = widest(forms, channels);
      const to = empty(x.gpu, [batches, rows, 2, channels]);
      x.gpu.run(kernel, {
        buffers: [from.buffer, to.buffer],
        params: { ...common, channels: channels / lanes, from_rows, rows },
        groups: groups1d(to.size / 2 / lanes, WORKGROUP),
      });
      return to;
    };
    // Powers of two, so that fewer rows always divide more.
    let rows = 2 ** Math.ceil(Math.log2(Math.ceil(common.pixels / STRIP)));
    let level = reduced(x, partial, { from_rows: common.pixels, rows });
    while (rows > 1) {
      const fewer = Math.max(1, rows / JOINED);
      level = reduced(level, join, { from_rows: rows, rows: fewer });
      rows = fewer;
    }
    const y = empty(x.gpu, [batches, 2, parts]);
    x.gpu.run(finish, {
      buffers: [level.buffer, y.buffer],
      params: { ...common, channels, from_rows: 1, rows: 1 },
      groups: groups1d(batches * parts, WORKGROUP),
    });
    return y;
  });
  return record(op, result, { inputs: [x] });
}

/**
 * Mean and biased variance over the pixels and channels of each group: `x [B, h, w, C] -> [B, 2, groups]`.
 *
 * The variance is without eps, so that statistics of several tiles can be merged: with n pixels each,
 * `mean = sum n_i mean_i / n` and `variance = sum n_i (variance_i + (mean_i - mean)^2) / n`.
 * @throws {RangeError} if `groups` does not divide C
 */
export function groupNormStats(x: Tensor, { groups }: { groups: number }): Tensor {
  return moments("group_norm_stats", x, { finish: kernels.variance, groups });
}

/** Mean and unbiased standard deviation of every channel: `x [B, h, w, C] -> [B, 2, C]`; 0 for a single pixel. */
export function meanStd(x: Tensor): Tensor {
  return moments("mean_std", x, { finish: kernels.deviation });
}

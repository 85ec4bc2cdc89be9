import { kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { scoped } from "../tensor/scope.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import lines from "./_attention_lines.wgsl" with { type: "text" };
import { attentionConstants, attentionGroups, type AttentionWay, attentionWay, WIDEST } from "./_attention_way.ts";
import operands from "./_attention_operands.wgsl" with { type: "text" };
import products from "./_attention_products.wgsl" with { type: "text" };
import values from "./_attention_values.wgsl" with { type: "text" };
import tile from "./_attention_tile.wgsl" with { type: "text" };
import { requireF32 } from "./_shapes.ts";
import byThreads from "./attention.wgsl" with { type: "text" };
import byLanes from "./attention_lanes.wgsl" with { type: "text" };
import byLines from "./attention_shared.wgsl" with { type: "text" };
import { attentionBackward } from "./attention_backward.ts";
import { matrixAttention } from "./attention_matrix.ts";
import { concat, split } from "./concat.ts";
import { full } from "./elementwise.ts";

const SOURCES = { threads: [tile, byThreads], lanes: [byLanes], shared: [lines, products, values, byLines] } as const;

const variant = variants((way: AttentionWay) =>
  kernel({
    name: "attention.forward",
    sources: [operands, ...SOURCES[way.by]],
    entry: "forward",
    binds: { q: "read", k: "read", v: "read", out: "write", lse: "write" },
    params: { queries: "u32", keys: "u32", heads: "u32", width: "u32", scale: "f32" },
    features: way.by === "lanes" ? ["subgroups"] : [],
    flops: ({ queries, keys, heads, width }, [, , batches]) => 4 * queries * keys * 4 * width * heads * batches,
    constants: attentionConstants(way),
  })
);

/** The widest variants, for checks of the declaration against the WGSL. */
export const kernels = {
  threads: variant(WIDEST.threads),
  lanes: variant(WIDEST.lanes),
  shared: variant(WIDEST.shared),
};

/**
 * Scaled dot-product attention without mask: `softmax(q k^T / sqrt(D)) v`.
 *
 * `q [B, Lq, H, D], k [B, Lk, H, D], v [B, Lk, H, D] -> [B, Lq, H, D]`
 * @throws {TypeError} if shapes do not fit
 */
export function attention(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const [batch = 0, , heads = 0, width = 0] = q.shape;
  const keys = k.shape[1] ?? 0;
  const wanted = show([batch, keys, heads, width]);
  if (q.shape.length !== 4 || show(k.shape) !== wanted || show(v.shape) !== wanted || q.size === 0 || keys === 0) {
    throw new TypeError(
      `Cannot attend: q, k and v must be [B, L, H, D]: q is ${show(q.shape)}, k ${show(k.shape)}, v ${show(v.shape)}`,
    );
  }
  requireF32("attention", { q, k, v });
  const scale = 1 / Math.sqrt(width);
  const whole = Math.ceil(width / 4) * 4;
  if (whole === width) return attend(q, k, { v, scale });
  return scoped(q.gpu, () => {
    // Channels of zeros change neither scores nor outputs; their gradients are dropped by the ops that add them.
    const out = attend(widen(q, whole), widen(k, whole), { v: widen(v, whole), scale });
    return split(out, 3, [width, whole - width])[0] ?? out;
  });
}

/** {@linkcode attention} for D a multiple of 4. */
function attend(q: Tensor, k: Tensor, { v, scale }: { v: Tensor; scale: number }): Tensor {
  const [batch = 0, queries = 0, heads = 0, width = 0] = q.shape;
  const out = empty(q.gpu, q.shape);
  const lse = empty(q.gpu, [batch, heads, queries]);
  const keys = k.shape[1] ?? 0;
  const { adapter } = q.gpu;
  const size = { batches: batch, rows: queries, heads, channels: width };
  const way = attentionWay(adapter, size);
  const { kernel, groups } = matrixAttention(adapter, { ...size, keys }) ??
    { kernel: variant(way), groups: attentionGroups(way, size) };
  q.gpu.run(kernel, {
    buffers: [q, k, v, out, lse].map(({ buffer }) => buffer),
    params: { queries, keys, heads, width: width / 4, scale },
    groups,
  });
  const wanted = { q: tracked(q), k: tracked(k), v: tracked(v) };
  const state = { q, k, v, out, lse, scale };
  // As an input, the log-sum-exp lives as long as the tape needs it, and no longer than this call if there is none.
  const y = record("attention", out, {
    inputs: [q, k, v, lse],
    saved: [q, k, v, lse, out],
    backward: (dout) => attentionBackward(dout, state, wanted),
  });
  lse.dispose();
  return y;
}

/** `x [B, L, H, D]` with zero channels up to `width`. */
function widen(x: Tensor, width: number): Tensor {
  const missing = width - (x.shape[3] ?? 0);
  if (missing === 0) return x;
  const shape = [...x.shape.slice(0, 3), missing];
  return concat([x, full(x.gpu, shape, 0)], 3);
}

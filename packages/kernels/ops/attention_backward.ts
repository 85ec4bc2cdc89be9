import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { attentionConstants, attentionGroups, type AttentionWay, attentionWay, WIDEST } from "./_attention_way.ts";
import operands from "./_attention_gradient.wgsl" with { type: "text" };
import lines from "./_attention_lines.wgsl" with { type: "text" };
import products from "./_attention_products.wgsl" with { type: "text" };
import values from "./_attention_values.wgsl" with { type: "text" };
import tile from "./_attention_tile.wgsl" with { type: "text" };
import byThreads from "./attention_backward.wgsl" with { type: "text" };
import byLanes from "./attention_backward_lanes.wgsl" with { type: "text" };
import byLines from "./attention_backward_shared.wgsl" with { type: "text" };
import deltaSource from "./attention_delta.wgsl" with { type: "text" };

const SOURCES = { threads: [tile, byThreads], lanes: [byLanes], shared: [lines, products, values, byLines] } as const;

interface Variant extends AttentionWay {
  readonly name: "q" | "k" | "v";
}

const variant = variants(({ name, ...way }: Variant) =>
  kernel({
    name: `attention.backward_${name}`,
    sources: [operands, ...SOURCES[way.by]],
    entry: "backward",
    binds: {
      rows_a: "read",
      columns_a: "read",
      rows_b: "read",
      columns_b: "read",
      lse: "read",
      delta: "read",
      gradient: "write",
    },
    params: { rows: "u32", columns: "u32", heads: "u32", width: "u32", scale: "f32" },
    features: way.by === "lanes" ? ["subgroups"] : [],
    // Scores again, then two products; the gradient of v needs but one.
    flops: ({ rows, columns, heads, width }, [, , batches]) =>
      (name === "v" ? 4 : 6) * rows * columns * 4 * width * heads * batches,
    constants: { ...attentionConstants(way), BY_KEY: Number(name !== "q"), VALUES: Number(name === "v") },
  })
);

const delta = kernel({
  name: "attention.backward_delta",
  sources: [deltaSource],
  entry: "main",
  binds: { out: "read", dout: "read", delta: "write" },
  params: { rows: "u32", queries: "u32", heads: "u32", width: "u32" },
});

/** The widest variants, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  delta,
  threads: variant({ name: "q", ...WIDEST.threads }),
  lanes: variant({ name: "q", ...WIDEST.lanes }),
  shared: variant({ name: "q", ...WIDEST.shared }),
};

/** What the forward pass leaves: `q, out [B, Lq, H, D], k, v [B, Lk, H, D], lse [B, H, Lq]`, D a multiple of 4. */
export interface AttentionState {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly out: Tensor;
  readonly lse: Tensor;
  /** Of the scores. */
  readonly scale: number;
}

/** The gradients of q, k and v, of those that are wanted, given that of the output. */
export function attentionBackward(
  dout: Tensor,
  { q, k, v, out, lse, scale }: AttentionState,
  wanted: Readonly<Record<"q" | "k" | "v", boolean>>,
): (Tensor | undefined)[] {
  const [batch = 0, queries = 0, heads = 0, channels = 0] = q.shape;
  const keys = k.shape[1] ?? 0;
  const width = channels / 4;
  const products = empty(q.gpu, lse.shape);
  if (wanted.q || wanted.k) {
    const rows = batch * queries * heads;
    q.gpu.run(delta, {
      buffers: [out, dout, products].map(({ buffer }) => buffer),
      params: { rows, queries, heads, width },
      groups: groups1d(rows, 64),
    });
  }
  const gradient = (name: "q" | "k" | "v", operands: readonly [Tensor, Tensor, Tensor, Tensor]) => {
    if (!wanted[name]) return undefined;
    const [rows, columns] = name === "q" ? [queries, keys] : [keys, queries];
    const result = empty(q.gpu, [batch, rows, heads, channels]);
    const size = { batches: batch, rows, heads, channels };
    const way = attentionWay(q.gpu.adapter, size);
    q.gpu.run(variant({ name, ...way }), {
      buffers: [...operands, lse, products, result].map(({ buffer }) => buffer),
      params: { rows, columns, heads, width, scale },
      groups: attentionGroups(way, size),
    });
    return result;
  };
  return [gradient("q", [q, k, dout, v]), gradient("k", [k, q, v, dout]), gradient("v", [k, q, v, dout])];
}

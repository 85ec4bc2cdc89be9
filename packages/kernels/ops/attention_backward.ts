import { hasEightLanes } from "../gpu/adapter.ts";
import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import tile from "./_attention_tile.wgsl" with { type: "text" };
import byThreads from "./attention_backward.wgsl" with { type: "text" };
import byLanes from "./attention_backward_lanes.wgsl" with { type: "text" };

/** Rows of the gradient per workgroup. */
const ROWS = 32;
/** Channels of the gradient per workgroup; wider heads are split. */
const WIDTH = 128;

const PARAMS = { rows: "u32", columns: "u32", heads: "u32", width: "u32", scale: "f32" } as const;

interface Variant {
  readonly name: "q" | "k" | "v";
  readonly lanes: boolean;
  /** vec4s of the gradient that a thread holds for a row, 1 to 4. */
  readonly chunks: number;
}

const variant = variants(({ name, lanes, chunks }: Variant) =>
  kernel({
    name: `attention.backward_${name}`,
    sources: lanes ? [byLanes] : [tile, byThreads],
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
    params: PARAMS,
    features: lanes ? ["subgroups"] : [],
    // Scores again, then two products; the gradient of v needs but one.
    flops: ({ rows, columns, heads, width }, [, , batches]) =>
      (name === "v" ? 4 : 6) * rows * columns * 4 * width * heads * batches,
    constants: { CHUNKS: chunks, BY_KEY: Number(name !== "q"), VALUES: Number(name === "v") },
  })
);

const delta = kernel({
  name: "attention.backward_delta",
  sources: [tile, byThreads],
  entry: "backward_delta",
  binds: { out: "read", dout: "read", products: "write" },
  params: PARAMS,
});

/** The widest variants, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  delta,
  threads: variant({ name: "q", lanes: false, chunks: 4 }),
  lanes: variant({ name: "q", lanes: true, chunks: 4 }),
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
  const way = { lanes: hasEightLanes(q.gpu.adapter), chunks: Math.min(4, Math.ceil(channels / 32)) };
  const products = empty(q.gpu, lse.shape);
  if (wanted.q || wanted.k) {
    const rows = batch * queries * heads;
    q.gpu.run(delta, {
      buffers: [out, dout, products].map(({ buffer }) => buffer),
      params: { rows, columns: queries, heads, width, scale },
      groups: groups1d(rows, 64),
    });
  }
  const gradient = (name: "q" | "k" | "v", operands: readonly [Tensor, Tensor, Tensor, Tensor]) => {
    if (!wanted[name]) return undefined;
    const [rows, columns] = name === "q" ? [queries, keys] : [keys, queries];
    const result = empty(q.gpu, [batch, rows, heads, channels]);
    q.gpu.run(variant({ name, ...way }), {
      buffers: [...operands, lse, products, result].map(({ buffer }) => buffer),
      params: { rows, columns, heads, width, scale },
      groups: [Math.ceil(rows / ROWS), heads * Math.ceil(channels / WIDTH), batch],
    });
    return result;
  };
  return [gradient("q", [q, k, dout, v]), gradient("k", [k, q, v, dout]), gradient("v", [k, q, v, dout])];
}

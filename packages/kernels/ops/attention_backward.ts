import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import tile from "./_attention_tile.wgsl" with { type: "text" };
import source from "./attention_backward.wgsl" with { type: "text" };

/** Rows of the gradient per workgroup. */
const ROWS = 32;
/** Channels of the gradient per workgroup; wider heads are split. */
const WIDTH = 128;

const PARAMS = { rows: "u32", columns: "u32", heads: "u32", width: "u32", scale: "f32" } as const;

function build(name: "q" | "k" | "v", chunks: number) {
  return kernel({
    name: `attention.backward_${name}`,
    sources: [tile, source],
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
    // Scores again, then two products; the gradient of v needs but one.
    flops: ({ rows, columns, heads, width }, [, , batches]) =>
      (name === "v" ? 4 : 6) * rows * columns * 4 * width * heads * batches,
    constants: { CHUNKS: chunks, BY_KEY: Number(name !== "q"), VALUES: Number(name === "v") },
  });
}

function variants(chunks: number) {
  return { q: build("q", chunks), k: build("k", chunks), v: build("v", chunks) };
}

/** One form per number of vec4s of the gradient that a thread holds for a row. */
const WIDEST = variants(4);
const byChunks = [variants(1), variants(2), variants(3), WIDEST];

const delta = kernel({
  name: "attention.backward_delta",
  sources: [tile, source],
  entry: "backward_delta",
  binds: { out: "read", dout: "read", products: "write" },
  params: PARAMS,
});

export const kernels: Readonly<Record<string, Kernel>> = {
  delta,
  ...Object.fromEntries(
    byChunks.flatMap((forms, i) => Object.entries(forms).map(([name, form]) => [`${name}${i + 1}`, form])),
  ),
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
  const forms = byChunks[Math.ceil(channels / 32) - 1] ?? WIDEST;
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
    q.gpu.run(forms[name], {
      buffers: [...operands, lse, products, result].map(({ buffer }) => buffer),
      params: { rows, columns, heads, width, scale },
      groups: [Math.ceil(rows / ROWS), heads * Math.ceil(channels / WIDTH), batch],
    });
    return result;
  };
  return [gradient("q", [q, k, dout, v]), gradient("k", [k, q, v, dout]), gradient("v", [k, q, v, dout])];
}

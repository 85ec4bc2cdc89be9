import { type AdapterSummary, hasEightLanes } from "../gpu/adapter.ts";
import { type Groups, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import type { AttentionSizes } from "./attention_matrix.ts";
import source from "./attention_lanes.wgsl" with { type: "text" };

/** Queries per workgroup. */
const QUERIES = 32;
/** Output channels per workgroup; wider heads are split. */
const WIDTH = 128;

/** One variant per number of vec4s of the output that a lane holds for a query. */
const variant = variants(({ chunks }: { readonly chunks: number }) =>
  kernel({
    name: "attention.forward",
    sources: [source],
    entry: "forward",
    binds: { q: "read", k: "read", v: "read", out: "write", lse: "write" },
    params: { queries: "u32", keys: "u32", heads: "u32", width: "u32", scale: "f32" },
    features: ["subgroups"],
    flops: ({ queries, keys, heads, width }, [, , batches]) => 4 * queries * keys * 4 * width * heads * batches,
    constants: { CHUNKS: chunks },
  })
);

/** The widest variant, for checks of the declaration against the WGSL. */
export const kernels = { forward: variant({ chunks: 4 }) };

/**
 * The kernel that attends by the lanes of a subgroup, with the bindings and params of attention's own, and its
 * workgroups; undefined if the subgroups of `adapter` do not have 8 lanes.
 */
export function lanesAttention(
  adapter: AdapterSummary,
  { batches, queries, heads, channels }: AttentionSizes,
): { kernel: typeof kernels.forward; groups: Groups } | undefined {
  if (!hasEightLanes(adapter)) return undefined;
  return {
    kernel: variant({ chunks: Math.min(4, Math.ceil(channels / 32)) }),
    groups: [Math.ceil(queries / QUERIES), heads * Math.ceil(channels / WIDTH), batches],
  };
}

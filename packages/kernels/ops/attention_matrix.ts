import type { AdapterSummary } from "../gpu/adapter.ts";
import { type Groups, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import type { ResultSize } from "./_attention_way.ts";
import { MATRIX_FEATURES, matrixUnits, unitChunks } from "./_matrix_units.ts";
import operands from "./_attention_operands.wgsl" with { type: "text" };
import source from "./attention_matrix.wgsl" with { type: "text" };

const variant = variants(({ m, n, threads, channels }: Record<"m" | "n" | "threads" | "channels", number>) =>
  kernel({
    name: "attention.forward_matrix",
    sources: [operands, ...unitChunks({ m, n }), source],
    entry: "forward",
    binds: { q: "read", k: "read", v: "read", out: "write", lse: "write" },
    params: { queries: "u32", keys: "u32", heads: "u32", width: "u32", scale: "f32" },
    features: MATRIX_FEATURES,
    flops: ({ queries, keys, width }, [, heads, batches]) => 4 * queries * keys * 4 * width * heads * batches,
    constants: { THREADS: threads, WIDTH: channels },
  })
);

/** The variant for units of 16 and FLUX's heads, for checks of the declaration against the WGSL. */
export const kernels = { forward: variant({ m: 16, n: 16, threads: 128, channels: 128 }) };

/** Bytes of workgroup memory for the widest heads and units. */
const MEMORY = 32_768;

/**
 * The kernel that attends by the matrix units of `adapter`, with the bindings and params of attention's own, and its
 * workgroups; undefined if it has none that fit, or if heads are not 16, 32, ... 128 channels wide, or if queries or keys
 * are too few to fill matrices.
 *
 * Operands are rounded to f16: outputs are off by about 3e-4 of the largest.
 */
export function matrixAttention(
  adapter: AdapterSummary,
  { batches, rows: queries, heads, channels, keys }: ResultSize & { readonly keys: number },
): { kernel: typeof kernels.forward; groups: Groups } | undefined {
  const units = adapter.workgroupMemory >= MEMORY ? matrixUnits(adapter) : undefined;
  if (!units || channels % 16 !== 0 || channels > 128 || queries < units.m || keys < 2 * units.n) return undefined;
  const { m, n, lanes } = units;
  return {
    kernel: variant({ m, n, threads: 4 * lanes, channels }),
    groups: [Math.ceil(queries / (4 * m)), heads, batches],
  };
}

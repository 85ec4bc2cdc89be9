import type { Gpu } from "../gpu/gpu.ts";
import { type Groups, groups1d, type Kernel } from "../gpu/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { tilingByRule } from "../tuning/rules.ts";
import type { ProductShape, Tiling } from "../tuning/tuning.ts";
import activations from "./_activation.wgsl" with { type: "text" };
import activate from "./_product_epilogue.wgsl" with { type: "text" };
import few from "./_product_few.wgsl" with { type: "text" };
import lanes from "./_product_lanes.wgsl" with { type: "text" };
import lines from "./_product_lines.wgsl" with { type: "text" };
import { matrixProduct, matrixTiling } from "./_product_matrix.ts";
import outer from "./_product_outer.wgsl" with { type: "text" };
import shared from "./_product_shared.wgsl" with { type: "text" };
import totals from "./_product_totals.wgsl" with { type: "text" };
import storeGated from "./_product_store_gated.wgsl" with { type: "text" };
import storeScalar from "./_product_store_scalar.wgsl" with { type: "text" };
import storeVec4 from "./_product_store_vec4.wgsl" with { type: "text" };

/** What may be applied to a product before it is written. */
export type Activation = "gelu" | "silu";

/** What becomes of a product before it is written. */
export interface Epilogue {
  readonly alpha?: number | undefined;
  /** [N] */
  readonly bias?: Tensor | undefined;
  /** The shape of the result. */
  readonly addend?: Tensor | undefined;
  readonly activation?: Activation | undefined;
  /** In place of addend and activation: `to` [B, L, N], the shape of the result, and `gate` [B, N]. */
  readonly residual?: { readonly to: Tensor; readonly gate: Tensor } | undefined;
}

/** Matrix units, or else the measured choice for the adapter, or else what the rules suggest. */
export function tilingOf(gpu: Gpu, shape: ProductShape): Tiling {
  return matrixTiling(gpu.adapter, shape) ?? gpu.tuning.product(shape) ?? tilingByRule(gpu.adapter, shape);
}

/** What of a {@linkcode Tiling} its kernel depends on. */
export interface Way extends Required<Pick<Tiling, "rows" | "columns" | "threads">> {
  readonly by: Exclude<Tiling["by"], "winograd">;
}

/** @throws {RangeError} if `by` is a way of convolutions only */
export function wayOf({ by, rows, columns, threads = 0 }: Omit<Tiling, "splits">): Way {
  if (by === "winograd") throw new RangeError("Cannot run a product: only convolutions are transformed");
  return { by, rows, columns, threads };
}

/**
 * The chunks that compute a tile, their constants, and what they need beyond core WebGPU; `segmented`: segments of K are
 * to be added up apart.
 */
export function productOf(
  { by, rows, columns, threads }: Way,
  { segmented = false }: { segmented?: boolean } = {},
): Pick<Kernel, "sources" | "constants" | "features"> {
  if (by === "matrix") return matrixProduct({ rows, columns, threads });
  if (by === "lanes") return { sources: [lanes], constants: { ROWS: rows }, features: ["subgroups"] };
  if (by === "few") return { sources: [few], constants: { COLUMN_LANES: columns / 4 }, features: [] };
  return {
    sources: [lines, outer, totals, shared],
    constants: { GRID: columns / 8, HALVES: 2 * rows / columns, SEGMENTED: Number(segmented) },
    features: [],
  };
}

/** The chunks that say what is applied to a product before it is written. */
export const epilogue: readonly string[] = [activations, activate];

/** The chunks that write the result; `aligned`: its rows are a multiple of four long, as they must be if it is `gated`. */
export function storeOf({ aligned, gated = false }: { aligned: boolean; gated?: boolean }): readonly string[] {
  return [...epilogue, gated ? storeGated : aligned ? storeVec4 : storeScalar];
}

/** Workgroups that cover `rows` x `columns` elements of each of `batches`. */
export function productGroups(
  { rows: tileRows, columns: tileColumns }: Tiling,
  { rows, columns, batches }: { rows: number; columns: number; batches: number },
): Groups {
  const [x, y] = groups1d(Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns), 1);
  return [x, y, batches];
}

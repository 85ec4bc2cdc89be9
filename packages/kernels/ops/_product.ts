import type { Gpu } from "../gpu/gpu.ts";
import { type Groups, groups1d } from "../gpu/kernel.ts";
import { tilingByRule } from "../tuning/rules.ts";
import type { ProductShape, Tiling } from "../tuning/tuning.ts";
import activations from "./_activation.wgsl" with { type: "text" };
import activate from "./_product_finish.wgsl" with { type: "text" };
import few from "./_product_few.wgsl" with { type: "text" };
import lanes from "./_product_lanes.wgsl" with { type: "text" };
import lines from "./_product_lines.wgsl" with { type: "text" };
import outer from "./_product_outer.wgsl" with { type: "text" };
import shared from "./_product_shared.wgsl" with { type: "text" };
import storeGated from "./_product_store_gated.wgsl" with { type: "text" };
import storeScalar from "./_product_store_scalar.wgsl" with { type: "text" };
import storeVec4 from "./_product_store_vec4.wgsl" with { type: "text" };

/** What may be applied to a product before it is written. */
export type Activation = "gelu" | "silu";

/** The measured choice for the adapter, or else what the rules suggest. */
export function tilingOf(gpu: Gpu, shape: ProductShape): Tiling {
  return gpu.tuning.product(shape) ?? tilingByRule(gpu.adapter, shape);
}

/** What of a {@linkcode Tiling} its kernel depends on. */
export type Way = Pick<Tiling, "by" | "rows" | "columns">;

export function wayOf({ by, rows, columns }: Tiling): Way {
  return { by, rows, columns };
}

/** The chunks that compute a tile, and their constants. */
export function productOf(
  { by, rows, columns }: Way,
): { sources: readonly string[]; constants: Record<string, number> } {
  if (by === "lanes") return { sources: [lanes], constants: { ROWS: rows } };
  if (by === "few") return { sources: [few], constants: { COLUMN_LANES: columns / 4 } };
  return { sources: [lines, outer, shared], constants: { GRID: rows / 8 } };
}

/** The chunks that say what is applied to a product before it is written. */
export const finish: readonly string[] = [activations, activate];

/** The chunks that write the result; `aligned`: its rows are a multiple of four long, as they must be if it is `gated`. */
export function storeOf({ aligned, gated = false }: { aligned: boolean; gated?: boolean }): readonly string[] {
  return [...finish, gated ? storeGated : aligned ? storeVec4 : storeScalar];
}

/** Workgroups that cover `rows` x `columns` elements of each of `batches`. */
export function productGroups(
  { rows: tileRows, columns: tileColumns }: Tiling,
  { rows, columns, batches }: { rows: number; columns: number; batches: number },
): Groups {
  const [x, y] = groups1d(Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns), 1);
  return [x, y, batches];
}

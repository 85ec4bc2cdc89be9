import type { Gpu } from "../gpu/gpu.ts";
import { type Groups, groups1d } from "../gpu/kernel.ts";
import activations from "./_activation.wgsl" with { type: "text" };
import activate from "./_product_finish.wgsl" with { type: "text" };
import lanes from "./_product_lanes.wgsl" with { type: "text" };
import outer from "./_product_outer.wgsl" with { type: "text" };
import shared from "./_product_shared.wgsl" with { type: "text" };
import storeGated from "./_product_store_gated.wgsl" with { type: "text" };
import storeScalar from "./_product_store_scalar.wgsl" with { type: "text" };
import storeVec4 from "./_product_store_vec4.wgsl" with { type: "text" };

/** What may be applied to a product before it is written. */
export type Activation = "gelu" | "silu";

/** Values of the constant `ACTIVATION`. */
export const ACTIVATIONS: Readonly<Record<Activation | "none", number>> = { none: 0, gelu: 1, silu: 2 };

/** How threads share a product: by the lanes of a subgroup or through workgroup memory, and the size of a tile. */
export interface Tiling {
  readonly by: "lanes" | "shared";
  /** Rows of C in a workgroup's tile. */
  readonly rows: number;
  /** Columns of C in a workgroup's tile. */
  readonly columns: number;
}

/**
 * The way that suits the adapter, for `rows` x `columns` elements. Lanes take four rows each of a transposed A, so that
 * a tile cannot be lower than 32.
 */
export function tilingOf(
  gpu: Gpu,
  { rows, columns, transposed = false }: { rows: number; columns: number; transposed?: boolean },
): Tiling {
  const { subgroups, software } = gpu.adapter;
  if (subgroups?.min === 8 && subgroups.max === 8) {
    return { by: "lanes", rows: transposed || rows > 16 ? 32 : rows > 8 ? 16 : 8, columns: 32 };
  }
  const side = software || Math.min(rows, columns) <= 64 ? 64 : 128;
  return { by: "shared", rows: side, columns: side };
}

/** The chunks that compute a tile, and their constants. */
export function productOf(
  { by, rows }: Pick<Tiling, "by" | "rows">,
): { sources: readonly string[]; constants: Record<string, number> } {
  return by === "lanes"
    ? { sources: [lanes], constants: { ROWS: rows } }
    : { sources: [outer, shared], constants: { GRID: rows / 8 } };
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

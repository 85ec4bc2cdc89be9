import type { AdapterSummary } from "../gpu/adapter.ts";
import type { ProductShape } from "../tuning/tuning.ts";
import { MATRIX_FEATURES, matrixUnits, unitChunks } from "./_matrix_units.ts";
import halves from "./_product_halves.wgsl" with { type: "text" };
import matrix from "./_product_matrix.wgsl" with { type: "text" };
import tiles from "./_product_tiles.wgsl" with { type: "text" };
import units from "./_product_units.wgsl" with { type: "text" };

/** A tile is eight units high and wide. */
const UNITS = 8;

/** How matrix units share a product. */
export interface MatrixTiling {
  readonly by: "matrix";
  /** Rows and columns of C in a workgroup's tile; they tell the size of the units. */
  readonly rows: number;
  readonly columns: number;
  /** Threads of a workgroup: four subgroups. */
  readonly threads: number;
  readonly splits: 1;
}

/**
 * The tile that the matrix units of `adapter` compute, or undefined if it has none that fit, or if less than a quarter of
 * the tile's height or width would be used.
 */
export function matrixTiling(adapter: AdapterSummary, { op, rows, columns }: ProductShape): MatrixTiling | undefined {
  const found = op === "conv2d_narrow" ? undefined : matrixUnits(adapter);
  if (!found || 4 * rows < UNITS * found.m || 4 * columns < UNITS * found.n) return undefined;
  const { m, n, lanes } = found;
  return { by: "matrix", rows: UNITS * m, columns: UNITS * n, threads: 4 * lanes, splits: 1 };
}

/** The chunks, constants and features of a product by {@linkcode matrixTiling}. */
export function matrixProduct({ rows, columns, threads }: Pick<MatrixTiling, "rows" | "columns" | "threads">) {
  return {
    sources: [...unitChunks({ m: rows / UNITS, n: columns / UNITS }), tiles, halves, units, matrix],
    constants: { THREADS: threads },
    features: MATRIX_FEATURES,
  };
}

import type { AdapterSummary } from "../gpu/adapter.ts";
import type { KernelFeature } from "../gpu/features.ts";
import by16x16x16 from "./_matrix_16x16x16.wgsl" with { type: "text" };
import by8x16x16 from "./_matrix_8x16x16.wgsl" with { type: "text" };
import by8x8x8 from "./_matrix_8x8x8.wgsl" with { type: "text" };
import types from "./_matrix_types.wgsl" with { type: "text" };

/** The sizes of units that there is a chunk for, the largest first: the larger, the less is read for a product. */
const SIZES = [
  { m: 16, n: 16, k: 16, chunk: by16x16x16 },
  { m: 8, n: 16, k: 16, chunk: by8x16x16 },
  { m: 8, n: 8, k: 8, chunk: by8x8x8 },
] as const;

/** What a kernel must declare that uses matrix units. */
export const MATRIX_FEATURES: readonly KernelFeature[] = ["shader-f16", "subgroups", "subgroup-matrix"];

/** The units of an adapter: they multiply [m, k] by [k, n]. */
export interface MatrixUnits {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Threads that hold a matrix together. */
  readonly lanes: number;
}

/**
 * The units by which kernels multiply on `adapter`, or undefined: if they are a CPU's, if none multiply f16 and add up in
 * f32, or if the lanes of a subgroup vary, since a workgroup is a number of subgroups.
 */
export function matrixUnits({ software, matrices, subgroups, features }: AdapterSummary): MatrixUnits | undefined {
  if (software || !subgroups || subgroups.min !== subgroups.max || !features.includes("shader-f16")) return undefined;
  const halves = matrices.filter(({ operands, result }) => operands === "f16" && result === "f32");
  const size = SIZES.find(({ m, n, k }) => halves.some((unit) => unit.m === m && unit.n === n && unit.k === k));
  return size && { m: size.m, n: size.n, k: size.k, lanes: subgroups.max };
}

/** The chunks that say how large units are, and what is shared by all that use them. */
export function unitChunks({ m, n }: Pick<MatrixUnits, "m" | "n">): readonly string[] {
  const size = SIZES.find((size) => size.m === m && size.n === n);
  if (!size) throw new RangeError(`Cannot multiply by matrix units: none are ${m} x ${n}`);
  return [size.chunk, types];
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import source from "./rope.wgsl" with { type: "text" };

const WORKGROUP = 64;

function build(name: string, transposed: boolean) {
  return kernel({
    name,
    sources: [source],
    entry: "rotate",
    binds: { x: "read", cosines: "read", sines: "read", y: "write" },
    params: { pairs: "u32", pairs_per_head: "u32", heads: "u32", length: "u32", first: "u32", table_step: "u32" },
    constants: { TRANSPOSED: Number(transposed) },
  });
}

export const kernels = { forward: build("rope", false), backward: build("rope.backward", true) };

/** Cosines and sines of the angles of tokens, each [1 or B, T, D / 2], of which those of x are `first` and its neighbours. */
export interface RopeTables {
  readonly cos: Tensor;
  readonly sin: Tensor;
  /** Default 0. */
  readonly first?: number;
}

/**
 * Where the rows of `x [B, L, H, D]` are in the tables.
 * @throws {TypeError} if shapes do not fit or D is odd
 */
export function tableRows(x: Tensor, { cos, sin, first = 0 }: RopeTables): { first: number; table_step: number } {
  const [batches, length, , width] = sizes("rope", x, ["B", "L", "H", "D"]);
  if (width % 2 !== 0) throw new TypeError(`Cannot run "rope": D must be even: x is ${show(x.shape)}`);
  const tokens = Math.max(cos.shape[1] ?? 0, first + length);
  const tables = cos.shape[0] === batches ? batches : 1;
  requireShape("rope", { cos, sin }, [tables, tokens, width / 2]);
  return { first, table_step: tables === 1 ? 0 : tokens };
}

/**
 * Rotates the pairs (2j, 2j + 1) of every head by the angle of its token: `x [B, L, H, D] -> [B, L, H, D]`. The tables
 * have no gradient.
 * @throws {TypeError} if shapes do not fit or D is odd
 */
export function rope(x: Tensor, tables: RopeTables): Tensor {
  const { first, table_step } = tableRows(x, tables);
  const { cos, sin } = tables;
  const [, length, heads, width] = sizes("rope", x, ["B", "L", "H", "D"]);
  const params = { pairs: x.size / 2, pairs_per_head: width / 2, heads, length, first, table_step };
  const rotate = (kernel: typeof kernels.forward, values: Tensor) => {
    requireShape("rope", { values }, x.shape);
    const result = empty(x.gpu, x.shape);
    x.gpu.run(kernel, {
      buffers: [values, cos, sin, result].map(({ buffer }) => buffer),
      params,
      groups: groups1d(x.size / 2, WORKGROUP),
    });
    return result;
  };
  return record("rope", rotate(kernels.forward, x), [x, cos, sin], (dy) => [rotate(kernels.backward, dy)]);
}

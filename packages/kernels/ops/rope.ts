import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import mat4 from "./_pairs_mat4.wgsl" with { type: "text" };
import vec2 from "./_pairs_vec2.wgsl" with { type: "text" };
import vec4 from "./_pairs_vec4.wgsl" with { type: "text" };
import { requireShape, sizes } from "./_shapes.ts";
import source from "./rope.wgsl" with { type: "text" };

const WORKGROUP = 64;
/** Numbers that a thread has at a time. */
const NUMBERS = { vec2: 2, vec4: 4, mat4: 16 } as const;

function build(name: string, sign: 1 | -1) {
  const form = (pairs: string) =>
    kernel({
      name,
      sources: [pairs, source],
      entry: "rotate",
      binds: { x: "read", cosines: "read", sines: "read", y: "write" },
      params: { tokens: "u32", width: "u32", heads: "u32", length: "u32", first: "u32", table_step: "u32" },
      constants: { SIGN: sign },
    });
  return { vec2: form(vec2), vec4: form(vec4), mat4: form(mat4) };
}

const forward = build("rope", 1);
const backward = build("rope.backward", -1);

export const kernels = {
  forward_vec2: forward.vec2,
  forward_vec4: forward.vec4,
  forward_mat4: forward.mat4,
  backward_vec2: backward.vec2,
  backward_vec4: backward.vec4,
  backward_mat4: backward.mat4,
};

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
  const [batches, length, heads, width] = sizes("rope", x, ["B", "L", "H", "D"]);
  const form = x.gpu.adapter.software && width % 16 === 0 ? "mat4" : width % 4 === 0 ? "vec4" : "vec2";
  const tokens = batches * length;
  const params = { tokens, width: width / NUMBERS[form], heads, length, first, table_step };
  const rotate = (kernels: typeof forward, values: Tensor) => {
    requireShape("rope", { values }, x.shape);
    const result = empty(x.gpu, x.shape);
    x.gpu.run(kernels[form], {
      buffers: [values, cos, sin, result].map(({ buffer }) => buffer),
      params,
      groups: groups1d(tokens * params.width, WORKGROUP),
    });
    return result;
  };
  return record("rope", rotate(forward, x), {
    inputs: [x, cos, sin],
    saved: [cos, sin],
    backward: (dy) => [rotate(backward, dy)],
  });
}

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
    params: { pairs: "u32", pairs_per_head: "u32", heads: "u32", table_rows: "u32" },
    constants: { TRANSPOSED: Number(transposed) },
  });
}

export const kernels = { forward: build("rope", false), backward: build("rope.backward", true) };

/**
 * Rotates the pairs (2j, 2j + 1) of every head by the angle of its token: `x [B, L, H, D], cos and sin [1 or B, L, D / 2]
 * -> [B, L, H, D]`. The tables have no gradient.
 * @throws {TypeError} if shapes do not fit or D is odd
 */
export function rope(x: Tensor, { cos, sin }: { cos: Tensor; sin: Tensor }): Tensor {
  const [batches, length, heads, width] = sizes("rope", x, ["B", "L", "H", "D"]);
  if (width % 2 !== 0) throw new TypeError(`Cannot run "rope": D must be even: x is ${show(x.shape)}`);
  const tables = cos.shape[0] === batches ? batches : 1;
  requireShape("rope", { cos, sin }, [tables, length, width / 2]);
  const params = { pairs: x.size / 2, pairs_per_head: width / 2, heads, table_rows: tables * length };
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

import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import source from "./total_variation.wgsl" with { type: "text" };

const WORKGROUP = 64;
const common = {
  sources: [source],
  params: { count: "u32", height: "u32", width: "u32", channels: "u32" },
} as const;

export const kernels = {
  forward: kernel({ ...common, name: "total_variation", entry: "forward", binds: { x: "read", y: "write" } }),
  backward: kernel({
    ...common,
    name: "total_variation.backward",
    entry: "backward",
    binds: { x: "read", dy: "read", dx: "write" },
  }),
};

/**
 * How much every pixel differs from those below and to the right of it, Eq. 20:
 * `|x[i + 1, j] - x[i, j]| + |x[i, j + 1] - x[i, j]|`, `x [B, h, w, C] -> [B, h, w, C]`.
 *
 * Differences beyond the last row and column are 0; the derivative of `|x|` at 0 is 0.
 * @throws {TypeError} if `x` is not [B, h, w, C] in f32
 */
export function totalVariation(x: Tensor): Tensor {
  const [, height, width, channels] = sizes("total_variation", x, ["B", "h", "w", "C"]);
  const run = (kernel: (typeof kernels)[keyof typeof kernels], inputs: readonly Tensor[]) => {
    const result = empty(x.gpu, x.shape);
    x.gpu.run(kernel, {
      buffers: [...inputs, result].map(({ buffer }) => buffer),
      params: { count: x.size, height, width, channels },
      groups: groups1d(x.size, WORKGROUP),
    });
    return result;
  };
  return record("total_variation", run(kernels.forward, [x]), {
    inputs: [x],
    saved: [x],
    backward: (dy) => {
      requireShape("total_variation", { dy }, x.shape);
      return [run(kernels.backward, [x, dy])];
    },
  });
}

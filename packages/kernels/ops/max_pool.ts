import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import source from "./max_pool.wgsl" with { type: "text" };

const WORKGROUP = 64;
const common = {
  sources: [source],
  params: { batches: "u32", height: "u32", width: "u32", channels: "u32" },
} as const;

export const kernels = {
  forward: kernel({ ...common, name: "max_pool", entry: "forward", binds: { x: "read", y: "write" } }),
  backward: kernel({
    ...common,
    name: "max_pool.backward",
    entry: "backward",
    binds: { x: "read", dy: "read", dx: "write" },
  }),
};

/**
 * The largest of every 2x2 pixels, channel by channel: `x [B, h, w, C] -> [B, h / 2, w / 2, C]`, sizes rounded down.
 *
 * Where several are the largest, the gradient goes to the first, row by row.
 * @throws {TypeError} if `x` is not [B, h, w, C] in f32, or smaller than 2x2 pixels
 */
export function maxPool(x: Tensor): Tensor {
  const [batches, height, width, channels] = sizes("max_pool", x, ["B", "h", "w", "C"]);
  if (height < 2 || width < 2) {
    throw new TypeError(`Cannot run "max_pool": x must have at least 2x2 pixels: it is ${show(x.shape)}`);
  }
  const run = (kernel: (typeof kernels)[keyof typeof kernels], inputs: readonly Tensor[], result: Tensor) => {
    x.gpu.run(kernel, {
      buffers: [...inputs, result].map(({ buffer }) => buffer),
      params: { batches, height, width, channels },
      groups: groups1d(result.size, WORKGROUP),
    });
    return result;
  };
  const shape = [batches, Math.floor(height / 2), Math.floor(width / 2), channels];
  const y = run(kernels.forward, [x], empty(x.gpu, shape));
  return record("max_pool", y, [x], (dy) => {
    requireShape("max_pool", { dy }, shape);
    return [run(kernels.backward, [x, dy], empty(x.gpu, x.shape))];
  });
}

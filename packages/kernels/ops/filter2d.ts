import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import mirror from "./_mirror.wgsl" with { type: "text" };
import { sizes } from "./_shapes.ts";
import source from "./filter2d.wgsl" with { type: "text" };

const WORKGROUP = 64;

export const kernels = {
  forward: kernel({
    name: "filter2d",
    sources: [mirror, source],
    entry: "forward",
    binds: { x: "read", taps: "read", y: "write" },
    params: {
      count: "u32",
      height: "u32",
      width: "u32",
      channels: "u32",
      kernel_height: "u32",
      kernel_width: "u32",
    },
  }),
};

/**
 * Filters every channel with one kernel, which is not flipped: `x [B, h, w, C], taps [m, n] -> [B, h, w, C]`, m and n odd.
 *
 * Beyond the edges x is mirrored without repeating the edge, as often as it takes. A kernel that is an outer product is
 * cheaper as two, [m, 1] and [1, n]. Without gradient.
 * @throws {TypeError} if `taps` is not a matrix of odd sizes
 */
export function filter2d(x: Tensor, taps: Tensor): Tensor {
  const [batches, height, width, channels] = sizes("filter2d", x, ["B", "h", "w", "C"]);
  const [kernel_height = 0, kernel_width = 0] = taps.shape;
  if (taps.shape.length !== 2 || taps.dtype !== "f32" || kernel_height % 2 === 0 || kernel_width % 2 === 0) {
    throw new TypeError(
      `Cannot run "filter2d": taps must be an f32 matrix of odd sizes: it is ${taps.dtype} ${show(taps.shape)}`,
    );
  }
  const y = empty(x.gpu, x.shape);
  const count = batches * height * Math.ceil(width / 4) * channels;
  x.gpu.run(kernels.forward, {
    buffers: [x.buffer, taps.buffer, y.buffer],
    params: { count, height, width, channels, kernel_height, kernel_width },
    groups: groups1d(count, WORKGROUP),
  });
  return record("filter2d", y, { inputs: [x, taps] });
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape, sizes } from "./_shapes.ts";
import source from "./max_pool.wgsl" with { type: "text" };

const WORKGROUP = 64;
const params = { batches: "u32", height: "u32", width: "u32", channels: "u32" } as const;

const forward = byElem((elem) =>
  kernel({
    name: "max_pool",
    sources: [elem, source],
    entry: "forward",
    binds: { x: "read", y: "write" },
    params,
    constants: { WORKGROUP },
  })
);
const backward = byElem((elem) =>
  kernel({
    name: "max_pool.backward",
    sources: [elem, source],
    entry: "backward",
    binds: { x: "read", dy: "read", dx: "write" },
    params,
    constants: { WORKGROUP },
  })
);

export const kernels = {
  forward_scalar: forward.scalar,
  forward_vec4: forward.vec4,
  backward_scalar: backward.scalar,
  backward_vec4: backward.vec4,
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
  const shape = [batches, Math.floor(height / 2), Math.floor(width / 2), channels];
  const y = empty(x.gpu, shape);
  const own = widest(forward, channels);
  x.gpu.run(own.kernel, {
    buffers: [x.buffer, y.buffer],
    params: { batches, height, width, channels: channels / own.lanes },
    groups: groups1d(y.size / own.lanes, WORKGROUP),
  });
  return record("max_pool", y, {
    inputs: [x],
    saved: [x],
    backward: (dy) => {
      requireShape("max_pool", { dy }, shape);
      const dx = empty(x.gpu, x.shape);
      const { kernel, lanes } = widest(backward, channels);
      const windows = batches * Math.ceil(height / 2) * Math.ceil(width / 2);
      x.gpu.run(kernel, {
        buffers: [x.buffer, dy.buffer, dx.buffer],
        params: { batches, height, width, channels: channels / lanes },
        groups: groups1d(windows * channels / lanes, WORKGROUP),
      });
      return [dx];
    },
  });
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { sizes } from "./_shapes.ts";
import source from "./l2_pool.wgsl" with { type: "text" };

const WORKGROUP = 64;

const forms = byElem((elem) =>
  kernel({
    name: "l2_pool",
    sources: [elem, source],
    entry: "forward",
    binds: { x: "read", y: "write" },
    params: { batches: "u32", height: "u32", width: "u32", channels: "u32" },
    constants: { WORKGROUP },
  })
);

export const kernels = { forward_scalar: forms.scalar, forward_vec4: forms.vec4 };

/**
 * The root of the weighted mean square of 3x3 pixels around every second one, channel by channel:
 * `x [B, h, w, C] -> [B, h / 2, w / 2, C]`, sizes rounded up. The weights are those of a Hann window, and x is 0 beyond
 * the edges (DISTS, https://arxiv.org/abs/2004.07728, Eq. 1). Without gradient.
 * @throws {TypeError} if `x` is not [B, h, w, C] in f32
 */
export function l2Pool(x: Tensor): Tensor {
  const [batches, height, width, channels] = sizes("l2_pool", x, ["B", "h", "w", "C"]);
  const y = empty(x.gpu, [batches, Math.ceil(height / 2), Math.ceil(width / 2), channels]);
  const { kernel, lanes } = widest(forms, channels);
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    params: { batches, height, width, channels: channels / lanes },
    groups: groups1d(y.size / lanes, WORKGROUP),
  });
  return record("l2_pool", y, { inputs: [x] });
}

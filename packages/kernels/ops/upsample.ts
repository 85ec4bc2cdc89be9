import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { sizes } from "./_shapes.ts";
import source from "./upsample.wgsl" with { type: "text" };

const WORKGROUP = 64;
const params = { count: "u32", width: "u32", channels: "u32" } as const;

const forward = byElem((elem) =>
  kernel({
    name: "upsample.forward",
    sources: [elem, source],
    entry: "forward",
    binds: { x: "read", y: "write" },
    params,
  })
);
const backward = byElem((elem) =>
  kernel({
    name: "upsample.backward_x",
    sources: [elem, source],
    entry: "backward_x",
    binds: { dy: "read", dx: "write" },
    params,
  })
);

export const kernels = {
  forward_scalar: forward.scalar,
  forward_vec4: forward.vec4,
  backward_x_scalar: backward.scalar,
  backward_x_vec4: backward.vec4,
};

/** Runs one of the forms of `kernel` for the smaller picture `x`. */
function dispatch(forms: typeof forward | typeof backward, [from, to]: [Tensor, Tensor], x: Tensor): Tensor {
  const [width = 1, channels = 1] = x.shape.slice(2);
  const { kernel, lanes } = widest<typeof forward.vec4 | typeof backward.vec4>(forms, channels);
  from.gpu.run(kernel, {
    buffers: [from.buffer, to.buffer],
    params: { count: x.size / lanes, width, channels: channels / lanes },
    groups: groups1d(x.size / lanes, WORKGROUP),
  });
  return to;
}

/** Every pixel twice along both axes: `x [B, h, w, C] -> [B, 2h, 2w, C]`. */
export function upsampleNearest(x: Tensor): Tensor {
  const [batches, height, width, channels] = sizes("upsample_nearest", x, ["B", "h", "w", "C"]);
  const y = dispatch(forward, [x, empty(x.gpu, [batches, 2 * height, 2 * width, channels])], x);
  return record("upsample_nearest", y, {
    inputs: [x],
    saved: [],
    backward: (dy) => [dispatch(backward, [dy, empty(x.gpu, x.shape)], x)],
  });
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape } from "./_shapes.ts";
import source from "./absolute.wgsl" with { type: "text" };

const WORKGROUP = 64;
const common = { sources: [source], params: { count: "u32" } } as const;

export const kernels = {
  forward: kernel({ ...common, name: "absolute", entry: "forward", binds: { x: "read", y: "write" } }),
  backward: kernel({
    ...common,
    name: "absolute.backward",
    entry: "backward",
    binds: { x: "read", dy: "read", dx: "write" },
  }),
};

/** `|x|`, any shape; the derivative at 0 is 0. */
export function absolute(x: Tensor): Tensor {
  requireShape("absolute", { x }, x.shape);
  const y = empty(x.gpu, x.shape);
  run(kernels.forward, [x, y]);
  return record("absolute", y, {
    inputs: [x],
    saved: [x],
    backward: (dy) => {
      requireShape("absolute", { dy }, x.shape);
      const dx = empty(x.gpu, x.shape);
      run(kernels.backward, [x, dy, dx]);
      return [dx];
    },
  });
}

function run(
  kernel: (typeof kernels)[keyof typeof kernels],
  tensors: readonly [Tensor, ...Tensor[]],
): void {
  const [x] = tensors;
  const count = Math.ceil(x.size / 4);
  x.gpu.run(kernel, {
    buffers: tensors.map(({ buffer }) => buffer),
    params: { count },
    groups: groups1d(count, WORKGROUP),
  });
}

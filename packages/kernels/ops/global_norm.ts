import { kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { chunksOf } from "./_chunks.ts";
import { byElem, widest } from "./_elem.ts";
import scalar from "./_elem_scalar.wgsl" with { type: "text" };
import { requireShape } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import source from "./global_norm.wgsl" with { type: "text" };

const LARGEST_F32 = 2 ** 128 - 2 ** 104;

const params = { count: "u32", chunk: "u32", first: "u32", clip: "f32" } as const;
const common = { sources: [scalar, reduce, source], params, constants: { WORKGROUP: 256 } };

const squares = byElem((elem) =>
  kernel({
    ...common,
    sources: [elem, reduce, source],
    name: "global_norm.squares",
    entry: "squares",
    binds: { x: "read", partials: "write" },
  })
);

export const kernels = {
  squares_scalar: squares.scalar,
  squares_vec4: squares.vec4,
  root: kernel({ ...common, name: "global_norm.root", entry: "root", binds: { parts: "read", total: "write" } }),
  decide: kernel({
    ...common,
    name: "global_norm.decide",
    entry: "decide",
    binds: { norm: "read", control: "read_write" },
  }),
};

/**
 * The Euclidean norm of all elements of all tensors: `[...], ... -> [1]`, the same bits every time.
 *
 * Not finite if one of them is not, or if the sum of squares is beyond f32 (a norm above 1e19).
 */
export function globalNorm(tensors: readonly [Tensor, ...Tensor[]]): Tensor {
  const [{ gpu }] = tensors;
  const chunks = tensors.map(({ size }) => chunksOf(size));
  return scoped(gpu, () => {
    const count = chunks.reduce((sum, each) => sum + each, 0);
    const partials = empty(gpu, [count]);
    let first = 0;
    tensors.forEach((x, i) => {
      const own = chunks[i] ?? 0;
      requireShape("global_norm", { x }, x.shape);
      const { kernel, lanes } = widest(squares, x.size);
      gpu.run(kernel, {
        buffers: [x.buffer, partials.buffer],
        params: { count: x.size / lanes, chunk: Math.ceil(x.size / lanes / own), first, clip: 0 },
        groups: [own, 1, 1],
      });
      first += own;
    });
    const norm = empty(gpu, [1]);
    gpu.run(kernels.root, {
      buffers: [partials.buffer, norm.buffer],
      params: { count, chunk: count, first: 0, clip: 0 },
      groups: [1, 1, 1],
    });
    return norm;
  });
}

/**
 * Writes to `control [2]` what optimisers do at this step: the factor `min(1, clip / norm)` of the gradients, and whether
 * they change anything: 1 as long as it was 1 before and `norm [1]` is finite, else 0 for good. So a NaN spoils no
 * weight, though the host learns of it only when it reads. Begin with `control` (1, 1).
 *
 * @param options.clip the largest norm that gradients may have; by default they are not clipped
 */
export function gradientControl(
  norm: Tensor,
  { control, clip = LARGEST_F32 }: { control: Tensor; clip?: number | undefined },
): void {
  requireShape("gradient_control", { norm }, [1]);
  requireShape("gradient_control", { control }, [2]);
  norm.gpu.run(kernels.decide, {
    buffers: [norm.buffer, control.buffer],
    params: { count: 1, chunk: 1, first: 0, clip },
    groups: [1, 1, 1],
  });
}

import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, sizeOf, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape } from "./_shapes.ts";
import source from "./permute.wgsl" with { type: "text" };

const WORKGROUP = 64;
const MAX_RANK = 5;

const forms = byElem((elem) =>
  kernel({
    name: "permute",
    sources: [elem, source],
    entry: "forward",
    binds: { x: "read", y: "write" },
    params: {
      count: "u32",
      size_1: "u32",
      size_2: "u32",
      size_3: "u32",
      size_4: "u32",
      stride_0: "u32",
      stride_1: "u32",
      stride_2: "u32",
      stride_3: "u32",
      stride_4: "u32",
    },
  })
);

export const kernels = { forward_scalar: forms.scalar, forward_vec4: forms.vec4 };

/**
 * Reorders the axes: axis i of the result is axis `axes[i]` of `x`, as in `permute(x [B, L, H, D], [0, 2, 1, 3]) ->
 * [B, H, L, D]`; up to five axes.
 * @throws {RangeError} if `axes` does not name every axis once, or there are more than five
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  requireShape("permute", { x }, x.shape);
  const rank = x.shape.length;
  if (rank > MAX_RANK || axes.length !== rank || !x.shape.every((_, axis) => axes.includes(axis))) {
    throw new RangeError(
      `Cannot run "permute": axes must name each axis of ${show(x.shape)} once, at most ${MAX_RANK}: they are ${
        show(axes)
      }`,
    );
  }
  const shape = axes.map((axis) => x.shape[axis] ?? 1);
  const strides = axes.map((axis) => sizeOf(x.shape.slice(axis + 1)));
  const rows = axes.at(-1) === rank - 1 ? shape.at(-1) ?? 1 : 1;
  const { kernel, lanes } = widest(forms, rows);
  // Missing axes have size 1 and come first; the last one is counted in Elem.
  const padding = new Array<number>(MAX_RANK - rank).fill(1);
  const [, size_1 = 1, size_2 = 1, size_3 = 1, size_4 = 1] = [
    ...padding,
    ...shape.with(-1, (shape.at(-1) ?? 1) / lanes),
  ];
  const steps = lanes === 1 ? strides : strides.map((stride, i) => i === rank - 1 ? 1 : stride / lanes);
  const [stride_0 = 1, stride_1 = 1, stride_2 = 1, stride_3 = 1, stride_4 = 1] = [...padding, ...steps];
  const y = empty(x.gpu, shape);
  const count = x.size / lanes;
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    params: { count, size_1, size_2, size_3, size_4, stride_0, stride_1, stride_2, stride_3, stride_4 },
    groups: groups1d(count, WORKGROUP),
  });
  const back = axes.map((_, axis) => axes.indexOf(axis));
  return record("permute", y, { inputs: [x], saved: [], backward: (dy) => [permute(dy, back)] });
}

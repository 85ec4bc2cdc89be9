import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, sameShape, show, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import { columnSum } from "./column_sum.ts";
import { reshape } from "./reshape.ts";
import source from "./softmax.wgsl" with { type: "text" };

const common = {
  params: { rows: "u32", width: "u32", bias_rows: "u32" },
  constants: { WORKGROUP: 64 },
} as const;

const forms = byElem((elem) =>
  kernel({
    ...common,
    name: "softmax",
    sources: [elem, reduce, source],
    entry: "forward",
    binds: { x: "read", bias: "read", y: "write" },
  })
);

const backwardForms = byElem((elem) =>
  kernel({
    ...common,
    name: "softmax.backward",
    sources: [elem, reduce, source],
    entry: "backward",
    binds: { known: "read", dy: "read", dx: "write" },
  })
);

type SoftmaxKernel = Kernel<string, keyof typeof common.params>;

export const kernels = {
  forward_scalar: forms.scalar,
  forward_vec4: forms.vec4,
  backward_scalar: backwardForms.scalar,
  backward_vec4: backwardForms.vec4,
};

/**
 * `softmax(x + bias)` over the last axis: `x [..., L, D], bias [..., L, D] -> [..., L, D]`, where the axes of the bias are
 * the last ones of x: it is the same for all that come before. A mask is a bias of large negative numbers, finite ones.
 *
 * @throws {TypeError} if shapes do not fit
 */
export function softmax(x: Tensor, { bias }: { bias: Tensor }): Tensor {
  requireShape("softmax", { x }, x.shape);
  requireShape("softmax", { bias }, bias.shape);
  const axes = bias.shape.length;
  if (axes === 0 || axes > x.shape.length || !sameShape(x.shape.slice(-axes), bias.shape)) {
    throw new TypeError(
      `Cannot run "softmax": bias must have the last axes of x: x is ${show(x.shape)}, bias ${show(bias.shape)}`,
    );
  }
  const width = x.shape.at(-1) ?? 1;
  const rows = x.size / width;
  const params = { rows, bias_rows: bias.size / width };
  const y = empty(x.gpu, x.shape);
  run(forms, [x, bias, y], { ...params, width });
  const wanted = { bias: tracked(bias) };
  return record("softmax", y, [x, bias], (dy) => {
    requireShape("softmax", { dy }, x.shape);
    const dx = empty(x.gpu, x.shape);
    run(backwardForms, [y, dy, dx], { ...params, width });
    return [dx, wanted.bias ? reshape(columnSum(reshape(dx, [-1, bias.size])), bias.shape) : undefined];
  });
}

function run(
  choice: { readonly scalar: SoftmaxKernel; readonly vec4: SoftmaxKernel },
  tensors: readonly [Tensor, Tensor, Tensor],
  { rows, width, bias_rows }: { rows: number; width: number; bias_rows: number },
): void {
  const { kernel, lanes } = widest(choice, width);
  tensors[0].gpu.run(kernel, {
    buffers: tensors.map(({ buffer }) => buffer),
    params: { rows, width: width / lanes, bias_rows },
    groups: groups1d(rows, 1),
  });
}

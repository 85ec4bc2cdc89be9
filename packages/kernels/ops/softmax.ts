import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, sameShape, show, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import { columnSum } from "./column_sum.ts";
import { reshape } from "./reshape.ts";
import source from "./softmax.wgsl" with { type: "text" };

const params = { rows: "u32", width: "u32", bias_rows: "u32" } as const;

type SoftmaxKernel = Kernel<string, keyof typeof params>;

const forward = variants(({ workgroup }: { workgroup: number }) =>
  byElem<SoftmaxKernel>((elem) =>
    kernel({
      name: "softmax",
      sources: [elem, reduce, source],
      entry: "forward",
      binds: { x: "read", bias: "read", y: "write" },
      params,
      constants: { WORKGROUP: workgroup },
    })
  )
);

const backward = variants(({ workgroup }: { workgroup: number }) =>
  byElem<SoftmaxKernel>((elem) =>
    kernel({
      name: "softmax.backward",
      sources: [elem, reduce, source],
      entry: "backward",
      binds: { known: "read", dy: "read", dx: "write" },
      params,
      constants: { WORKGROUP: workgroup },
    })
  )
);

const [small, large] = [{ workgroup: 8 }, { workgroup: 64 }];

/** Some variants, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  forward_scalar: forward(small).scalar,
  forward_vec4: forward(large).vec4,
  backward_scalar: backward(small).scalar,
  backward_vec4: backward(large).vec4,
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
  run(forward, [x, bias, y], { ...params, width });
  const wanted = { bias: tracked(bias) };
  return record("softmax", y, [x, bias], (dy) => {
    requireShape("softmax", { dy }, x.shape);
    const dx = empty(x.gpu, x.shape);
    run(backward, [y, dy, dx], { ...params, width });
    return [dx, wanted.bias ? reshape(columnSum(reshape(dx, [-1, bias.size])), bias.shape) : undefined];
  });
}

function run(
  choice: typeof forward,
  tensors: readonly [Tensor, Tensor, Tensor],
  { rows, width, bias_rows }: Readonly<Record<keyof typeof params, number>>,
): void {
  const [{ gpu }] = tensors;
  // The 8 lanes of a software adapter are one workgroup, that of 64 waits for itself: 27 ms instead of 62 ms a pass over
  // the scores of 16 heads and 512 tokens on llvmpipe.
  const { kernel, lanes } = widest(choice(gpu.adapter.software ? small : large), width);
  gpu.run(kernel, {
    buffers: tensors.map(({ buffer }) => buffer),
    params: { rows, width: width / lanes, bias_rows },
    groups: groups1d(rows, 1),
  });
}

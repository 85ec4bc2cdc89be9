import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, sameShape, show, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import { requireShape } from "./_shapes.ts";
import distances from "./_addend_distances.wgsl" with { type: "text" };
import distancesScalar from "./_addend_distances_scalar.wgsl" with { type: "text" };
import distancesVec4 from "./_addend_distances_vec4.wgsl" with { type: "text" };
import table from "./_addend_table.wgsl" with { type: "text" };
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import { columnSum } from "./column_sum.ts";
import { reshape } from "./reshape.ts";
import source from "./softmax.wgsl" with { type: "text" };

const params = { rows: "u32", width: "u32", bias_rows: "u32" } as const;

type SoftmaxKernel = Kernel<string, keyof typeof params>;

const forward = variants(({ workgroup, byDistance }: { workgroup: number; byDistance: boolean }) =>
  byElem<SoftmaxKernel>((elem, lanes) =>
    kernel({
      name: "softmax",
      sources: [
        elem,
        reduce,
        ...byDistance ? [distances, lanes === 4 ? distancesVec4 : distancesScalar] : [table],
        source,
      ],
      entry: "forward",
      binds: { x: "read", [byDistance ? "distances" : "bias"]: "read", y: "write" },
      params,
      constants: { WORKGROUP: workgroup },
    })
  )
);

const backward = variants(({ workgroup }: { workgroup: number }) =>
  byElem<SoftmaxKernel>((elem) =>
    kernel({
      name: "softmax.backward",
      sources: [elem, reduce, table, source],
      entry: "backward",
      binds: { known: "read", dy: "read", dx: "write" },
      params,
      constants: { WORKGROUP: workgroup },
    })
  )
);

// The 8 lanes of a software adapter are one workgroup, that of 64 waits for itself: 27 ms instead of 62 ms a pass over the
// scores of 16 heads and 512 tokens on llvmpipe.
const [small, large] = [{ workgroup: 8 }, { workgroup: 64 }];

/** Some variants, for checks of the declaration against the WGSL. */
export const kernels: Readonly<Record<string, Kernel>> = {
  forward_scalar: forward({ ...small, byDistance: false }).scalar,
  forward_vec4: forward({ ...large, byDistance: false }).vec4,
  forward_distances_scalar: forward({ ...small, byDistance: true }).scalar,
  forward_distances_vec4: forward({ ...large, byDistance: true }).vec4,
  backward_scalar: backward(small).scalar,
  backward_vec4: backward(large).vec4,
};

/** What is added to scores, in one of two forms. */
export type ScoreAddend =
  /** [..., L, D], the last axes of the scores: it is the same for all that come before. */
  | { readonly bias: Tensor }
  /** [H, 2 L - 1] for scores [..., H, L, L]: row q and column k of matrix h take `distances[h, L - 1 + k - q]`. */
  | { readonly distances: Tensor };

/**
 * `softmax(x + addend)` over the last axis: `x [..., L, D] -> [..., L, D]`. A mask is a bias of large negative numbers,
 * finite ones. There is no gradient of distances.
 *
 * @throws {TypeError} if shapes do not fit
 */
export function softmax(x: Tensor, addend: ScoreAddend): Tensor {
  requireShape("softmax", { x }, x.shape);
  const byDistance = "distances" in addend;
  const added = byDistance ? addend.distances : addend.bias;
  if (byDistance) checkDistances(x, added);
  else checkBias(x, added);
  const width = x.shape.at(-1) ?? 1;
  const rows = x.size / width;
  const params = { rows, width, bias_rows: byDistance ? added.shape[0]! : added.size / width };
  const workgroup = x.gpu.adapter.software ? small : large;
  const y = empty(x.gpu, x.shape);
  run(forward({ ...workgroup, byDistance }), [x, added, y], params);
  const hasGradient = !byDistance && tracked(added);
  return record("softmax", y, {
    inputs: byDistance ? [x] : [x, added],
    saved: [y],
    backward: (dy) => {
      requireShape("softmax", { dy }, x.shape);
      const dx = empty(x.gpu, x.shape);
      run(backward(workgroup), [y, dy, dx], params);
      return [dx, hasGradient ? reshape(columnSum(reshape(dx, [-1, added.size])), added.shape) : undefined];
    },
  });
}

function checkBias(x: Tensor, bias: Tensor): void {
  requireShape("softmax", { bias }, bias.shape);
  const axes = bias.shape.length;
  if (axes === 0 || axes > x.shape.length || !sameShape(x.shape.slice(-axes), bias.shape)) {
    throw new TypeError(
      `Cannot run "softmax": bias must have the last axes of x: x is ${show(x.shape)}, bias ${show(bias.shape)}`,
    );
  }
}

function checkDistances(x: Tensor, distances: Tensor): void {
  const [heads = 0, rows = 0, columns = 0] = x.shape.slice(-3);
  if (rows !== columns) {
    throw new TypeError(`Cannot run "softmax": distances are of square scores: x is ${show(x.shape)}`);
  }
  requireShape("softmax", { distances }, [heads, 2 * rows - 1]);
}

function run(
  forms: Parameters<typeof widest<SoftmaxKernel>>[0],
  tensors: readonly [Tensor, Tensor, Tensor],
  { rows, width, bias_rows }: Readonly<Record<keyof typeof params, number>>,
): void {
  const [{ gpu }] = tensors;
  const { kernel, lanes } = widest(forms, width);
  gpu.run(kernel, {
    buffers: tensors.map(({ buffer }) => buffer),
    params: { rows, width: width / lanes, bias_rows },
    groups: groups1d(rows, 1),
  });
}

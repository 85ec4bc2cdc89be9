import { groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { chunksOf } from "./_chunks.ts";
import { byElem, widest } from "./_elem.ts";
import vec4 from "./_elem_vec4.wgsl" with { type: "text" };
import { requireShape } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import source from "./reduce.wgsl" with { type: "text" };

const WORKGROUP = 256;
const params = { count: "u32", chunk: "u32", scale: "f32" } as const;

function build(name: string, magnitude: boolean) {
  return byElem((elem) =>
    kernel({
      name: `reduce.${name}`,
      sources: [elem, reduce, source],
      entry: "forward",
      binds: { x: "read", y: "write" },
      params,
      constants: { WORKGROUP, MAGNITUDE: Number(magnitude) },
    })
  );
}

const plain = build("sum", false);
const magnitude = build("magnitude", true);

export const kernels = {
  sum_scalar: plain.scalar,
  sum_vec4: plain.vec4,
  magnitude_scalar: magnitude.scalar,
  magnitude_vec4: magnitude.vec4,
  backward: kernel({
    name: "reduce.backward",
    sources: [vec4, reduce, source],
    entry: "backward",
    binds: { dy: "read", dx: "write" },
    params,
    constants: { WORKGROUP },
  }),
};

/** One level: a chunk a workgroup, one result each, times `factor`. */
function level(forms: typeof plain, x: Tensor, { chunks, factor }: { chunks: number; factor: number }): Tensor {
  const y = empty(x.gpu, [chunks]);
  const { kernel, lanes } = widest(forms, x.size);
  const count = x.size / lanes;
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    params: { count, chunk: Math.ceil(count / chunks), scale: factor },
    groups: [chunks, 1, 1],
  });
  return y;
}

/** All of `x` to one number, times `factor`; not recorded. */
function all(op: string, x: Tensor, { forms, factor = 1 }: { forms: typeof plain; factor?: number }): Tensor {
  requireShape(op, { x }, x.shape);
  return scoped(x.gpu, () => {
    const chunks = chunksOf(x.size);
    const partial = chunks > 1 ? level(forms, x, { chunks, factor: 1 }) : x;
    return level(forms, partial, { chunks: 1, factor });
  });
}

function scaledSum(op: string, x: Tensor, factor: number): Tensor {
  return record(op, all(op, x, { forms: plain, factor }), {
    inputs: [x],
    saved: [],
    backward: (dy) => {
      const dx = empty(x.gpu, x.shape);
      const count = Math.ceil(x.size / 4);
      x.gpu.run(kernels.backward, {
        buffers: [dy.buffer, dx.buffer],
        params: { count, chunk: 0, scale: factor },
        groups: groups1d(count, WORKGROUP),
      });
      return [dx];
    },
  });
}

/** The sum of all elements: `x [...] -> [1]`, the same bits every time. */
export function sum(x: Tensor): Tensor {
  return scaledSum("sum", x, 1);
}

/** The mean of all elements: `x [...] -> [1]`. */
export function mean(x: Tensor): Tensor {
  if (x.size === 0) throw new RangeError('Cannot run "mean": x must have elements: it has none');
  return scaledSum("mean", x, 1 / x.size);
}

/** The largest magnitude of all elements: `x [...] -> [1]`; without gradient. */
export function maxAbs(x: Tensor): Tensor {
  return record("max_abs", all("max_abs", x, { forms: magnitude }), { inputs: [x] });
}

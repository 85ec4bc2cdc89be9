import { kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import source from "./reduce.wgsl" with { type: "text" };

/** The smallest chunk that is worth a workgroup, and the most chunks. */
const CHUNK = 4096;
const CHUNKS = 1024;

function build(name: string, magnitude: boolean) {
  return kernel({
    name: `reduce.${name}`,
    sources: [reduce, source],
    entry: "forward",
    binds: { x: "read", y: "write" },
    params: { count: "u32", chunk: "u32", scale: "f32" },
    constants: { WORKGROUP: 256, MAGNITUDE: Number(magnitude) },
  });
}

export const kernels = { sum: build("sum", false), magnitude: build("magnitude", true) };

/** One level: a chunk a workgroup, one result each, times `factor`. */
function level(kernel: typeof kernels.sum, x: Tensor, { chunks, factor }: { chunks: number; factor: number }): Tensor {
  const y = empty(x.gpu, [chunks]);
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    params: { count: x.size, chunk: Math.ceil(x.size / chunks), scale: factor },
    groups: [chunks, 1, 1],
  });
  return y;
}

function all(op: string, x: Tensor, { kernel, factor = 1 }: { kernel: typeof kernels.sum; factor?: number }): Tensor {
  requireShape(op, { x }, x.shape);
  const y = scoped(x.gpu, () => {
    const chunks = Math.min(CHUNKS, Math.ceil(x.size / CHUNK));
    const partial = chunks > 1 ? level(kernel, x, { chunks, factor: 1 }) : x;
    return level(kernel, partial, { chunks: 1, factor });
  });
  return record(op, y, [x]);
}

/** The sum of all elements: `x [...] -> [1]`, the same bits every time. */
export function sum(x: Tensor): Tensor {
  return all("sum", x, { kernel: kernels.sum });
}

/** The mean of all elements: `x [...] -> [1]`. */
export function mean(x: Tensor): Tensor {
  if (x.size === 0) throw new RangeError('Cannot run "mean": x must have elements: it has none');
  return all("mean", x, { kernel: kernels.sum, factor: 1 / x.size });
}

/** The largest magnitude of all elements: `x [...] -> [1]`. */
export function maxAbs(x: Tensor): Tensor {
  return all("max_abs", x, { kernel: kernels.magnitude });
}

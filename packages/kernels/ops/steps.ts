import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape } from "./_shapes.ts";
import quantization from "./_quantize.wgsl" with { type: "text" };
import source from "./steps.wgsl" with { type: "text" };

const WORKGROUP = 64;

function build(entry: string) {
  return kernel({
    name: `steps.${entry}`,
    sources: [quantization, source],
    entry,
    binds: { x: "read", y: "write" },
    params: { count: "u32", limit: "f32" },
  });
}

export const kernels = { quantize: build("quantize"), exceeds: build("exceeds") };

function dispatch(kernel: typeof kernels.quantize, x: Tensor, limit: number): Tensor {
  requireShape(kernel.name, { x }, x.shape);
  const y = empty(x.gpu, x.shape);
  x.gpu.run(kernel, {
    buffers: [x.buffer, y.buffer],
    params: { count: x.size, limit },
    groups: groups1d(x.size, WORKGROUP),
  });
  return record(kernel.name, y, { inputs: [x] });
}

/** The nearest of the 256 levels of 8 bits, `round(255 x) / 255` in [0, 1]: any shape, ties to even; without gradient. */
export function quantize(x: Tensor): Tensor {
  return dispatch(kernels.quantize, x, 0);
}

/** 1 where `|x| > limit`, else 0: any shape; without gradient. */
export function exceeds(x: Tensor, limit: number): Tensor {
  return dispatch(kernels.exceeds, x, limit);
}

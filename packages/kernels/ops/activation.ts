import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import definitions from "./_activation.wgsl" with { type: "text" };
import { requireShape } from "./_shapes.ts";
import source from "./activation.wgsl" with { type: "text" };

const WORKGROUP = 64;

function elementwise(entry: string) {
  return kernel({
    name: `activation.${entry}`,
    sources: [definitions, source],
    entry,
    binds: { x: "read", y: "write" },
    params: { count: "u32" },
  });
}

export const kernels = { gelu: elementwise("gelu_forward"), silu: elementwise("silu_forward") };

function activate(name: keyof typeof kernels, x: Tensor): Tensor {
  requireShape(name, { x }, x.shape);
  const y = empty(x.gpu, x.shape);
  x.gpu.run(kernels[name], {
    buffers: [x.buffer, y.buffer],
    params: { count: x.size },
    groups: groups1d(x.size, WORKGROUP),
  });
  return record(name, y, [x]);
}

/** GELU in the tanh form, `x [...] -> [...]`. */
export function gelu(x: Tensor): Tensor {
  return activate("gelu", x);
}

/** `x sigmoid(x)`, `x [...] -> [...]`. */
export function silu(x: Tensor): Tensor {
  return activate("silu", x);
}

import { groups1d, type Kernel, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { ACTIVATIONS } from "./_activation.ts";
import definitions from "./_activation.wgsl" with { type: "text" };
import { requireShape } from "./_shapes.ts";
import source from "./activation.wgsl" with { type: "text" };

const WORKGROUP = 256;

function build(name: "relu" | "gelu" | "silu") {
  const common = {
    sources: [definitions, source],
    params: { count: "u32" },
    constants: { ACTIVATION: ACTIVATIONS[name], WORKGROUP },
  } as const;
  return {
    name,
    forward: kernel({ ...common, name, entry: "forward", binds: { x: "read", y: "write" } }),
    backward: kernel({
      ...common,
      name: `${name}.backward`,
      entry: "backward",
      binds: { x: "read", dy: "read", dx: "write" },
    }),
  };
}

type Forms = ReturnType<typeof build>;

const forms = { relu: build("relu"), gelu: build("gelu"), silu: build("silu") };

export const kernels: Readonly<Record<string, Kernel>> = Object.fromEntries(
  Object.values(forms).flatMap(({ name, forward, backward }) => [[name, forward], [`${name}_backward`, backward]]),
);

function activate({ name, forward, backward }: Forms, x: Tensor): Tensor {
  requireShape(name, { x }, x.shape);
  const y = run(forward, [x], empty(x.gpu, x.shape));
  const gradient = (dy: Tensor) => {
    requireShape(name, { dy }, x.shape);
    return [run(backward, [x, dy], empty(x.gpu, x.shape))];
  };
  return record(name, y, { inputs: [x], saved: [x], backward: gradient });
}

function run(kernel: Forms["forward"] | Forms["backward"], inputs: readonly Tensor[], result: Tensor): Tensor {
  const count = Math.ceil(result.size / 4);
  result.gpu.run(kernel, {
    buffers: [...inputs, result].map(({ buffer }) => buffer),
    params: { count },
    groups: groups1d(count, WORKGROUP),
  });
  return result;
}

/** `max(x, 0)`, `x [...] -> [...]`; the derivative at 0 is 0. */
export function relu(x: Tensor): Tensor {
  return activate(forms.relu, x);
}

/** The gradient of what ReLU was applied to, given its result `y` and the gradient of that. */
export function reluBackward(y: Tensor, dy: Tensor): Tensor {
  requireShape("relu", { dy }, y.shape);
  return run(forms.relu.backward, [y, dy], empty(y.gpu, y.shape));
}

/** GELU in the tanh form, `x [...] -> [...]`. */
export function gelu(x: Tensor): Tensor {
  return activate(forms.gelu, x);
}

/** `x sigmoid(x)`, `x [...] -> [...]`. */
export function silu(x: Tensor): Tensor {
  return activate(forms.silu, x);
}

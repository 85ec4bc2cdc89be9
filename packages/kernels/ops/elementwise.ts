import { groups1d, kernel } from "../gpu/kernel.ts";
import { record } from "../tensor/tape.ts";
import { empty, show, type Tensor } from "../tensor/tensor.ts";
import source from "./elementwise.wgsl" with { type: "text" };

const WORKGROUP = 64;
const params = { count: "u32", alpha: "f32", beta: "f32" } as const;

function binary(entry: string) {
  return kernel({
    name: `elementwise.${entry}`,
    sources: [source],
    entry,
    binds: { a: "read", b: "read", y: "write" },
    params,
  });
}

function unary(entry: string) {
  return kernel({ name: `elementwise.${entry}`, sources: [source], entry, binds: { a: "read", out: "write" }, params });
}

export const kernels = {
  combine: binary("combine"),
  multiply: binary("multiply"),
  affine: unary("affine"),
  clamp: unary("clamp_range"),
  exponential: unary("exponential"),
};

function dispatch(
  kernel: (typeof kernels)[keyof typeof kernels],
  inputs: readonly [Tensor, ...Tensor[]],
  { alpha, beta }: { alpha: number; beta: number },
): Tensor {
  const [a, b = a] = inputs;
  if (show(a.shape) !== show(b.shape)) {
    throw new TypeError(`Cannot run "${kernel.name}": shapes must match: a is ${show(a.shape)}, b is ${show(b.shape)}`);
  }
  const y = empty(a.gpu, a.shape);
  a.gpu.run(kernel, {
    buffers: [...inputs, y].map(({ buffer }) => buffer),
    params: { count: a.size, alpha, beta },
    groups: groups1d(a.size, WORKGROUP),
  });
  return y;
}

/** `alpha a + beta b`, equal shapes; both default to 1. */
export function combine(a: Tensor, b: Tensor, { alpha = 1, beta = 1 } = {}): Tensor {
  const y = dispatch(kernels.combine, [a, b], { alpha, beta });
  return record("combine", y, [a, b], (dy) => [scale(dy, alpha), scale(dy, beta)]);
}

/** `a + b`, equal shapes. */
export function add(a: Tensor, b: Tensor): Tensor {
  return combine(a, b);
}

/** `a - b`, equal shapes. */
export function subtract(a: Tensor, b: Tensor): Tensor {
  return combine(a, b, { beta: -1 });
}

/** `a b` element by element, equal shapes. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  const y = dispatch(kernels.multiply, [a, b], { alpha: 1, beta: 0 });
  return record("multiply", y, [a, b], (dy) => [multiply(dy, b), multiply(dy, a)]);
}

/** `scale a + offset`. */
export function affine(a: Tensor, { scale: alpha = 1, offset = 0 }: { scale?: number; offset?: number }): Tensor {
  const y = dispatch(kernels.affine, [a], { alpha, beta: offset });
  return record("affine", y, [a], (dy) => [scale(dy, alpha)]);
}

/** `factor a`. */
export function scale(a: Tensor, factor: number): Tensor {
  return affine(a, { scale: factor });
}

/** `a` limited to `[low, high]`. */
export function clamp(a: Tensor, low: number, high: number): Tensor {
  return record("clamp", dispatch(kernels.clamp, [a], { alpha: low, beta: high }), [a]);
}

/** `exp(factor a)`. */
export function exp(a: Tensor, factor = 1): Tensor {
  const y = dispatch(kernels.exponential, [a], { alpha: factor, beta: 0 });
  return record("exp", y, [a], (dy) => [scale(multiply(dy, y), factor)]);
}

import type { Gpu } from "../gpu/gpu.ts";
import { groups1d, kernel } from "../gpu/kernel.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, sameShape, type Shape, show, type Tensor } from "../tensor/tensor.ts";
import { requireF32 } from "./_shapes.ts";
import source from "./elementwise.wgsl" with { type: "text" };

const WORKGROUP = 256;
const params = { count: "u32", alpha: "f32", beta: "f32" } as const;
/** Of what takes no numbers. */
const NONE = { alpha: 1, beta: 0 };

function binary(entry: string) {
  return kernel({
    name: `elementwise.${entry}`,
    sources: [source],
    entry,
    binds: { a: "read", b: "read", y: "write" },
    params,
    constants: { WORKGROUP },
  });
}

function unary(entry: string) {
  return kernel({
    name: `elementwise.${entry}`,
    sources: [source],
    entry,
    binds: { a: "read", out: "write" },
    params,
    constants: { WORKGROUP },
  });
}

export const kernels = {
  combine: binary("combine"),
  multiply: binary("multiply"),
  affine: unary("affine"),
  clamp: unary("clamp_range"),
  clampBackward: binary("clamp_backward"),
  exponential: unary("exponential"),
  absolute: unary("absolute"),
  absoluteBackward: binary("absolute_backward"),
  fill: kernel({
    name: "elementwise.fill",
    sources: [source],
    entry: "fill",
    binds: { filled: "write" },
    params,
    constants: { WORKGROUP },
  }),
};

/** The same number everywhere; made on the GPU, so that it does not have to wait for what used its memory before. */
export function full(gpu: Gpu, shape: Shape, value: number): Tensor {
  const filled = empty(gpu, shape);
  const count = Math.ceil(filled.size / 4);
  if (count === 0) return filled;
  gpu.run(kernels.fill, {
    buffers: [filled.buffer],
    params: { count, alpha: value, beta: 0 },
    groups: groups1d(count, WORKGROUP),
  });
  return filled;
}

function dispatch(
  kernel: (typeof kernels)[Exclude<keyof typeof kernels, "fill">],
  inputs: readonly [Tensor, ...Tensor[]],
  { alpha, beta }: { alpha: number; beta: number },
): Tensor {
  const [a, b = a] = inputs;
  if (!sameShape(a.shape, b.shape)) {
    throw new TypeError(`Cannot run "${kernel.name}": shapes must match: a is ${show(a.shape)}, b is ${show(b.shape)}`);
  }
  requireF32(kernel.name, { a, b });
  const y = empty(a.gpu, a.shape);
  const count = Math.ceil(a.size / 4);
  a.gpu.run(kernel, {
    buffers: [...inputs, y].map(({ buffer }) => buffer),
    params: { count, alpha, beta },
    groups: groups1d(count, WORKGROUP),
  });
  return y;
}

/** `alpha a + beta b`, equal shapes; both default to 1. */
export function combine(a: Tensor, b: Tensor, { alpha = 1, beta = 1 } = {}): Tensor {
  const y = dispatch(kernels.combine, [a, b], { alpha, beta });
  const wanted = { a: tracked(a), b: tracked(b) };
  const gradients = (dy: Tensor) => [
    wanted.a ? scaled(dy, alpha) : undefined,
    wanted.b ? scaled(dy, beta) : undefined,
  ];
  return record("combine", y, { inputs: [a, b], saved: [], backward: gradients });
}

/** `factor dy`; a factor of 1 needs no pass over memory. */
function scaled(dy: Tensor, factor: number): Tensor {
  return factor === 1 ? dy : scale(dy, factor);
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
  const y = dispatch(kernels.multiply, [a, b], NONE);
  const wanted = { a: tracked(a), b: tracked(b) };
  const gradients = (dy: Tensor) => [
    wanted.a ? multiply(dy, b) : undefined,
    wanted.b ? multiply(dy, a) : undefined,
  ];
  return record("multiply", y, { inputs: [a, b], saved: [a, b], backward: gradients });
}

/** `scale a + offset`. */
export function affine(a: Tensor, { scale: alpha = 1, offset = 0 }: { scale?: number; offset?: number }): Tensor {
  const y = dispatch(kernels.affine, [a], { alpha, beta: offset });
  return record("affine", y, { inputs: [a], saved: [], backward: (dy) => [scaled(dy, alpha)] });
}

/** `factor a`. */
export function scale(a: Tensor, factor: number): Tensor {
  return affine(a, { scale: factor });
}

/** `a` limited to `[low, high]`; the derivative is 1 at the limits and 0 beyond. */
export function clamp(a: Tensor, low: number, high: number): Tensor {
  const limits = { alpha: low, beta: high };
  const y = dispatch(kernels.clamp, [a], limits);
  return record("clamp", y, {
    inputs: [a],
    saved: [a],
    backward: (dy) => [dispatch(kernels.clampBackward, [a, dy], limits)],
  });
}

/** `exp(factor a)`. */
export function exp(a: Tensor, factor = 1): Tensor {
  const y = dispatch(kernels.exponential, [a], { alpha: factor, beta: 0 });
  return record("exp", y, {
    inputs: [a],
    saved: [y],
    backward: (dy) => [dispatch(kernels.multiply, [dy, y], { alpha: factor, beta: 0 })],
  });
}

/** `|a|`; the derivative at 0 is 0. */
export function absolute(a: Tensor): Tensor {
  const y = dispatch(kernels.absolute, [a], NONE);
  return record("absolute", y, {
    inputs: [a],
    saved: [a],
    backward: (dy) => [dispatch(kernels.absoluteBackward, [a, dy], NONE)],
  });
}

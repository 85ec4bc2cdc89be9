import { groups1d, kernel } from "../gpu/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { requireShape } from "./_shapes.ts";
import source from "./adamw.wgsl" with { type: "text" };

const WORKGROUP = 64;

export const kernels = {
  step: kernel({
    name: "adamw",
    sources: [source],
    entry: "step",
    binds: { p: "read_write", gradient: "read", m: "read_write", v: "read_write", control: "read" },
    params: {
      count: "u32",
      rate_1: "f32",
      rate_2: "f32",
      keep: "f32",
      step_size: "f32",
      correction: "f32",
      eps: "f32",
    },
  }),
};

/** What a step of AdamW works on, all of the weight's shape but `control`. */
export interface AdamWState {
  readonly gradient: Tensor;
  /** Running mean of the gradient, 0 before the first step; changed in place. */
  readonly m: Tensor;
  /** Running mean of its square, 0 before the first step; changed in place. */
  readonly v: Tensor;
  /** From {@linkcode gradientControl}, [2]. */
  readonly control: Tensor;
}

/** The rates of AdamW. */
export interface AdamWRates {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
}

/**
 * Step number `step`, counted from 1, of AdamW: changes `p [...]`, `m` and `v` in place, unless `control` says stop.
 *
 * No tape sees it. An open one must not have recorded `p`: gradients that it takes afterwards would mix old and new
 * values.
 * @throws {TypeError} if shapes differ or a tensor is not f32
 */
export function adamw(
  p: Tensor,
  { gradient, m, v, control }: AdamWState,
  { lr, beta1, beta2, eps, weightDecay, step }: AdamWRates & { readonly step: number },
): void {
  requireShape("adamw", { p, gradient, m, v }, p.shape);
  requireShape("adamw", { control }, [2]);
  const count = Math.ceil(p.size / 4);
  p.gpu.run(kernels.step, {
    buffers: [p, gradient, m, v, control].map(({ buffer }) => buffer),
    params: {
      count,
      rate_1: 1 - beta1,
      rate_2: 1 - beta2,
      keep: 1 - lr * weightDecay,
      step_size: lr / (1 - beta1 ** step),
      correction: 1 / Math.sqrt(1 - beta2 ** step),
      eps,
    },
    groups: groups1d(count, WORKGROUP),
  });
}

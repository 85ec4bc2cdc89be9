import { split, type Tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";

/** Shift, scale and gate of one sub-block, each [B, D]. */
export interface ModulationOut {
  readonly shift: Tensor;
  readonly scale: Tensor;
  readonly gate: Tensor;
}

/** Turns `silu(vec)` into one (single block) or two (double block) sets of shift, scale and gate. */
export class Modulation extends Module {
  readonly lin: Linear;
  readonly #width: number;

  constructor(width: number, { double }: { double: boolean }) {
    super();
    this.lin = new Linear(width, (double ? 6 : 3) * width);
    this.#width = width;
  }

  /** `vec [B, D]`, already through SiLU, to one or two sets. */
  forward(vec: Tensor): ModulationOut[] {
    const out = this.lin.forward(vec);
    const chunks = split(out, 1, Array<number>((out.shape[1] ?? 0) / this.#width).fill(this.#width));
    return Array.from({ length: chunks.length / 3 }, (_, i) => {
      const [shift, scale, gate] = chunks.slice(3 * i) as [Tensor, Tensor, Tensor];
      return { shift, scale, gate };
    });
  }
}

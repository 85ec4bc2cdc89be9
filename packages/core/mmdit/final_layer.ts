import { layerNorm, split, type Tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";

/** Modulated layer norm and the projection to latent channels; here the shift comes before the scale. */
export class LastLayer extends Module {
  readonly linear: Linear;
  /** Key `1`, as in the checkpoint's `Sequential(SiLU, Linear)`. */
  readonly adaLN_modulation: { readonly 1: Linear };
  readonly #width: number;

  constructor(width: number, outputs: number) {
    super();
    this.linear = new Linear(width, outputs);
    this.adaLN_modulation = { 1: new Linear(width, 2 * width) };
    this.#width = width;
  }

  /** `x [B, N, D], vec [B, D]`, already through SiLU, `-> [B, N, out]` */
  forward(x: Tensor, vec: Tensor): Tensor {
    const modulation = this.adaLN_modulation[1].forward(vec);
    const [shift, scale] = split(modulation, 1, [this.#width, this.#width]) as [Tensor, Tensor];
    return this.linear.forward(layerNorm(x, { shift, scale }));
  }
}

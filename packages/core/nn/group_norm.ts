import { groupNorm, type Tensor } from "@fluxsr/kernels";
import { Module, Parameter } from "./module.ts";

/** Group norm with affine, eps 1e-6 as in FLUX's autoencoder, and optionally SiLU after it. */
export class GroupNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #groups: number;

  constructor(groups: number, channels: number) {
    super();
    this.weight = new Parameter([channels]);
    this.bias = new Parameter([channels]);
    this.#groups = groups;
  }

  /** `x [B, h, w, C] -> [B, h, w, C]` */
  forward(x: Tensor, { silu }: { silu: boolean }): Tensor {
    return groupNorm(x, { groups: this.#groups, weight: this.weight.tensor, bias: this.bias.tensor, silu });
  }
}

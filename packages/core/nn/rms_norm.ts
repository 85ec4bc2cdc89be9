import { rmsNorm, type Tensor } from "@fluxsr/kernels";
import { Module, Parameter } from "./module.ts";

/** RMS norm: `weight x / sqrt(mean(x^2) + eps)`. */
export class RmsNorm extends Module {
  readonly weight: Parameter;
  readonly #eps: number;

  constructor(width: number, { eps }: { eps: number }) {
    super();
    this.weight = new Parameter([width]);
    this.#eps = eps;
  }

  /** `x [..., D] -> [..., D]` */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, { scale: this.weight.tensor, eps: this.#eps });
  }
}

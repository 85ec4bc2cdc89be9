import { affine, layerNorm, reshape, type Tensor } from "@fluxsr/kernels";
import { Module, Parameter } from "./module.ts";

/** Layer norm with weight and bias of its own: `weight LN(x) + bias`. */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #eps: number;

  constructor(width: number, { eps }: { eps: number }) {
    super();
    this.weight = new Parameter([width]);
    this.bias = new Parameter([width]);
    this.#eps = eps;
  }

  /** `x [B, L, D] -> [B, L, D]` */
  forward(x: Tensor): Tensor {
    const width = x.shape.at(-1) ?? 1;
    // The op has a scale and a shift for each sample, and adds 1 to the scale: all tokens as one sample.
    const scale = affine(reshape(this.weight.tensor, [1, width]), { offset: -1 });
    const shift = reshape(this.bias.tensor, [1, width]);
    return reshape(layerNorm(reshape(x, [1, -1, width]), { scale, shift, eps: this.#eps }), x.shape);
  }
}

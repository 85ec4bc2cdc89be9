import { conv2d, type Conv2dOptions, type Padding, type Tensor } from "@fluxsr/kernels";
import { Module, Parameter } from "./module.ts";

/** A convolution on channels-last pictures; its weight is [out, in, k, k] in the checkpoint, [k, k, in, out] on the GPU. */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #options: { readonly stride: number; readonly padding: number | Padding };

  constructor(
    inputs: number,
    outputs: number,
    { size, stride = 1, padding = (size - 1) / 2 }: { size: number; stride?: number; padding?: number | Padding },
  ) {
    super();
    this.weight = new Parameter([outputs, inputs, size, size], { axes: [2, 3, 1, 0] });
    this.bias = new Parameter([outputs]);
    this.#options = { stride, padding };
  }

  /** `x [B, h, w, in] -> [B, h', w', out]`; `addend`, of the result's shape, is added, then `activation` is applied. */
  forward(x: Tensor, options: Pick<Conv2dOptions, "addend" | "activation"> = {}): Tensor {
    return conv2d(x, this.weight.tensor, { ...this.#options, ...options, bias: this.bias.tensor });
  }
}

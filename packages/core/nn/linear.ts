import { type Activation, gateResidual, matmul, type Tensor } from "@fluxsr/kernels";
import { Module, Parameter } from "./module.ts";

/** A low-rank change of a linear layer: `x W^T + scale (x A^T) B^T`. */
export interface Adapter {
  /** [R, in] */
  readonly a: Tensor;
  /** [out, R] */
  readonly b: Tensor;
  /** alpha / R */
  readonly scale: number;
}

/** `y = x W^T + b`, with W [out, in]; a LoRA adapter, if attached, is applied on the fly. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  #adapter: Adapter | undefined;

  constructor(inputs: number, outputs: number, { bias = true } = {}) {
    super();
    this.weight = new Parameter([outputs, inputs], { packable: true });
    if (bias) this.bias = new Parameter([outputs]);
  }

  get adapter(): Adapter | undefined {
    return this.#adapter;
  }

  /** Attaches an adapter, which the layer then owns, or takes it off. */
  set adapter(adapter: Adapter | undefined) {
    this.#adapter?.a.dispose();
    this.#adapter?.b.dispose();
    this.#adapter = adapter;
  }

  /** `x [..., in] -> [..., out]` */
  forward(x: Tensor, { activation }: { activation?: Activation } = {}): Tensor {
    const adapter = this.#adapter;
    const base = { transposeB: true, bias: this.bias?.tensor };
    if (!adapter) return matmul(x, this.weight.tensor, { ...base, activation });
    const low = matmul(x, adapter.a, { transposeB: true });
    const addend = matmul(x, this.weight.tensor, base);
    return matmul(low, adapter.b, { transposeB: true, alpha: adapter.scale, addend, activation });
  }

  /** `to + gate (x W^T + b)`: `x [B, L, in], to [B, L, out], gate [B, out] -> [B, L, out]` */
  addTo(to: Tensor, x: Tensor, { gate }: { gate: Tensor }): Tensor {
    if (this.#adapter) return gateResidual(to, this.forward(x), { gate });
    return matmul(x, this.weight.tensor, { transposeB: true, bias: this.bias?.tensor, residual: { to, gate } });
  }

  override dispose(): void {
    super.dispose();
    this.adapter = undefined;
  }
}

import {
  abandon,
  type Activation,
  concat,
  gateResidual,
  matmul,
  type MatmulOptions,
  reshape,
  scoped,
  split,
  type Tensor,
} from "@fluxsr/kernels";
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

/**
 * `y = x W^T + b`, with W [out, in]; a LoRA adapter, if attached, is applied on the fly, by whichever order of its
 * products is less work. Of a weight in several parts, each gives its columns of the result.
 */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias?: Parameter;
  #adapter: Adapter | undefined;
  #constant: Tensor | undefined;

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
    for (const factor of adapter ? [adapter.a, adapter.b] : []) abandon(factor);
    this.#adapter = adapter;
  }

  /**
   * Computes the result for `x`, which is the only input from now on, and frees the weights for good: whatever
   * {@linkcode forward} is then given, that is what it returns.
   */
  fold(x: Tensor): void {
    const constant = scoped(x.gpu, () => this.forward(x));
    abandon(constant);
    this.weight.retire();
    this.bias?.retire();
    this.adapter = undefined;
    this.#constant = constant;
  }

  /** `x [..., in] -> [..., out]` */
  forward(x: Tensor, { activation }: { activation?: Activation } = {}): Tensor {
    if (this.#constant) return reshape(this.#constant, this.#constant.shape);
    const adapter = this.#adapter;
    if (!adapter) return this.#product(x, this.weight.parts, { activation });
    if (this.#isMerged(x)) return scoped(x.gpu, () => this.#product(x, [this.#merged(adapter)], { activation }));
    const low = matmul(x, adapter.a, { transposeB: true });
    const addend = this.#product(x, this.weight.parts);
    return matmul(low, adapter.b, { transposeB: true, alpha: adapter.scale, addend, activation });
  }

  /** `to + gate (x W^T + b)`: `x [B, L, in], to [B, L, out], gate [B, out] -> [B, L, out]` */
  addTo(to: Tensor, x: Tensor, { gate }: { gate: Tensor }): Tensor {
    if (this.#adapter || this.weight.parts.length > 1) return gateResidual(to, this.forward(x), { gate });
    return this.#product(x, this.weight.parts, { residual: { to, gate } });
  }

  /**
   * Whether the adapter is added to the weight, and not its product to the weight's: that is less work for adapters of
   * high rank. With gradients it is 3 products of x with the sum and 3 that make the sum, instead of 2 with W, which is
   * frozen, and 3 with each factor.
   */
  #isMerged(x: Tensor): boolean {
    const { parts: [weight, ...others] } = this.weight;
    if (!this.#adapter || weight?.dtype !== "f32" || others.length > 0) return false;
    const [out = 0, inner = 0] = weight.shape;
    const [rank = 0] = this.#adapter.a.shape;
    const rows = x.size / inner;
    return 3 * inner * out * (rows + rank) < rows * (2 * inner * out + 3 * rank * (inner + out));
  }

  /** `W + scale B A` */
  #merged({ a, b, scale }: Adapter): Tensor {
    return matmul(b, a, { alpha: scale, addend: this.weight.tensor });
  }

  /** `x W^T + b` for the W whose rows are in `parts`, and what `options` apply to it. */
  #product(
    x: Tensor,
    parts: readonly Tensor[],
    options: Pick<MatmulOptions, "activation" | "residual"> = {},
  ): Tensor {
    const [weight, ...others] = parts;
    if (weight && others.length === 0) {
      return matmul(x, weight, { transposeB: true, bias: this.bias?.tensor, ...options });
    }
    return scoped(x.gpu, () => {
      const biases = this.bias && split(this.bias.tensor, 0, parts.map(({ shape }) => shape[0] ?? 0));
      return concat(parts.map((part, i) => matmul(x, part, { transposeB: true, bias: biases?.[i], ...options })), -1);
    });
  }

  override dispose(): void {
    super.dispose();
    this.adapter = undefined;
    this.#constant?.dispose();
    this.#constant = undefined;
  }
}

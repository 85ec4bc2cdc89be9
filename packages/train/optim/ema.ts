import { emaUpdate, scale, type Tensor } from "@fluxsr/kernels";

/** The exponential moving averages of named tensors, which begin as they are now. */
export class Ema implements Disposable {
  /** By the names of the weights. */
  readonly averages: ReadonlyMap<string, Tensor>;
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #decay: number;

  /** @param weights what is averaged; they stay the caller's */
  constructor(weights: ReadonlyMap<string, Tensor>, { decay }: { decay: number }) {
    this.#weights = weights;
    this.#decay = decay;
    this.averages = new Map([...weights].map(([name, weight]) => [name, scale(weight, 1)]));
  }

  /** Takes the weights in, after a step whose optimiser has `control`: unless it was stopped. */
  update({ control }: { control: Tensor }): void {
    for (const [name, average] of this.averages) {
      emaUpdate(average, this.#weights.get(name)!, { decay: this.#decay, control });
    }
  }

  [Symbol.dispose](): void {
    for (const average of this.averages.values()) average.dispose();
  }
}

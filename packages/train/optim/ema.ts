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

  /**
   * Takes the weights in after step `steps`, counted from 1, unless its optimiser has stopped. The first steps count
   * more, so that the start is soon forgotten: decay `min(decay, (1 + steps) / (10 + steps))`, TensorFlow's
   * `ExponentialMovingAverage` with `num_updates`.
   */
  update({ control, steps }: { control: Tensor; steps: number }): void {
    const decay = Math.min(this.#decay, (1 + steps) / (10 + steps));
    for (const [name, average] of this.averages) emaUpdate(average, this.#weights.get(name)!, { decay, control });
  }

  [Symbol.dispose](): void {
    for (const average of this.averages.values()) average.dispose();
  }
}

import { swap, type Tensor } from "@fluxsr/kernels";
import { AdamW } from "./optim/adamw.ts";
import { Ema } from "./optim/ema.ts";

/** How weights are changed by gradients. */
export interface OptimiserConfig {
  readonly beta1: number;
  readonly beta2: number;
  readonly adam_eps: number;
  readonly weight_decay: number;
  /** The largest norm that the gradient may have; 0: any. */
  readonly clip: number;
  /** Decay of the weights' running average; 0: none is kept. */
  readonly ema: number;
}

/** All that changes in the course of a run: weights, their running average, and the optimiser's moments. */
export class TrainingState implements Disposable {
  /** Everything that a checkpoint must hold, by name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #optimiser: AdamW;
  readonly #ema: Ema | undefined;

  /** The state before the first step. `weights` stay the caller's and are changed in place. */
  constructor(weights: ReadonlyMap<string, Tensor>, config: OptimiserConfig) {
    this.#weights = weights;
    this.#optimiser = new AdamW(weights, {
      beta1: config.beta1,
      beta2: config.beta2,
      eps: config.adam_eps,
      weightDecay: config.weight_decay,
      clip: config.clip > 0 ? config.clip : undefined,
    });
    this.#ema = config.ema > 0 ? new Ema(weights, { decay: config.ema }) : undefined;
    this.tensors = new Map([
      ...prefixed("weight", weights),
      ...prefixed("average", this.#ema?.averages ?? new Map()),
      ...this.#optimiser.state,
    ]);
  }

  /** Steps taken; a run that goes on from a checkpoint sets it. */
  get steps(): number {
    return this.#optimiser.steps;
  }

  set steps(steps: number) {
    this.#optimiser.steps = steps;
  }

  /**
   * One step. A gradient that is not finite changes nothing, nor does any after it.
   *
   * @param gradients in the order of the weights
   * @returns the gradient's norm before clipping [1], the caller's
   */
  update(gradients: readonly [Tensor, ...Tensor[]], { lr }: { lr: number }): Tensor {
    const norm = this.#optimiser.step(gradients, { lr });
    this.#ema?.update(this.#optimiser);
    return norm;
  }

  /** Runs `body` while the weights are their running average, if there is one. */
  async averaged<T>(body: () => Promise<T>): Promise<T> {
    this.#swap();
    try {
      return await body();
    } finally {
      this.#swap();
    }
  }

  #swap(): void {
    for (const [name, average] of this.#ema?.averages ?? []) swap(average, this.#weights.get(name)!);
  }

  [Symbol.dispose](): void {
    this.#optimiser[Symbol.dispose]();
    this.#ema?.[Symbol.dispose]();
  }
}

function* prefixed(prefix: string, tensors: ReadonlyMap<string, Tensor>): Generator<[string, Tensor]> {
  for (const [name, each] of tensors) yield [`${prefix}.${name}`, each];
}

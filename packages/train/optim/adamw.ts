import { adamw, full, globalNorm, gradientControl, type Tensor, tensor } from "@fluxsr/kernels";

/** Options of {@linkcode AdamW}. */
export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  readonly weightDecay?: number;
  /** The largest norm of all gradients together; longer ones are scaled down to it. By default none are. */
  readonly clip?: number | undefined;
}

/** AdamW (https://arxiv.org/abs/1711.05101) over named tensors, which it changes in place. Nothing waits for the GPU. */
export class AdamW implements Disposable {
  /** Steps taken; a run that is resumed sets it to those of its checkpoint. */
  steps = 0;
  /** Running means of gradients and of their squares as `m.<name>` and `v.<name>`: what a checkpoint needs. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** The factor of the last gradients, and 1, or 0 since a gradient was not finite: nothing changes from then on; [2]. */
  readonly control: Tensor;
  readonly #weights: readonly { readonly p: Tensor; readonly m: Tensor; readonly v: Tensor }[];
  readonly #rates: Required<Omit<AdamWOptions, "clip">>;
  readonly #clip: number | undefined;

  /** @param weights what is trained; they stay the caller's */
  constructor(
    weights: ReadonlyMap<string, Tensor>,
    { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, clip }: AdamWOptions = {},
  ) {
    const [first] = weights.values();
    if (!first) throw new RangeError("Cannot optimise: there must be weights: there are none");
    const states = [...weights].map(([name, p]) => ({
      name,
      p,
      m: full(p.gpu, p.shape, 0),
      v: full(p.gpu, p.shape, 0),
    }));
    this.#weights = states;
    this.state = new Map(states.flatMap(({ name, m, v }) => [[`m.${name}`, m], [`v.${name}`, v]] as const));
    this.control = tensor(first.gpu, Float32Array.of(1, 1), [2]);
    this.#rates = { beta1, beta2, eps, weightDecay };
    this.#clip = clip;
  }

  /**
   * One step with `gradients`, which have the order of the weights.
   *
   * @returns the norm of all gradients together, before clipping; [1], the caller's
   */
  step(gradients: readonly [Tensor, ...Tensor[]], { lr }: { lr: number }): Tensor {
    if (gradients.length !== this.#weights.length) {
      throw new RangeError(
        `Cannot optimise: each of ${this.#weights.length} weights must have a gradient: given ${gradients.length}`,
      );
    }
    const norm = globalNorm(gradients);
    gradientControl(norm, { control: this.control, clip: this.#clip });
    this.steps++;
    this.#weights.forEach(({ p, m, v }, i) => {
      const state = { gradient: gradients[i]!, m, v, control: this.control };
      adamw(p, state, { ...this.#rates, lr, step: this.steps });
    });
    return norm;
  }

  [Symbol.dispose](): void {
    for (const each of [...this.state.values(), this.control]) each.dispose();
  }
}

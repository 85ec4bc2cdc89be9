import { add, globalNorm, gradients, scale, Tape, type Tensor, tensor } from "@fluxsr/kernels";
import type { Batch, LossGroup, Stage, Terms } from "./stage.ts";

/** What a step's backward pass gives. */
export interface StepGradients extends Disposable {
  /** Of the weighted sum of all terms, in the order of the stage's weights. */
  readonly total: readonly [Tensor, ...Tensor[]];
  /** Each term's value, unweighted, and `total`, their weighted sum; [1] each. */
  readonly losses: ReadonlyMap<string, Tensor>;
  /** The norm of each weighted term's own gradient, if they were asked for; [1] each. */
  readonly norms: ReadonlyMap<string, Tensor>;
}

/** Options of {@linkcode GradientSum}. */
export interface StepOptions {
  /** Over how many batches the step's gradient is the mean. */
  readonly parts: number;
  /** Recompute blocks instead of keeping what they computed. */
  readonly recompute: boolean;
  /** Take the gradient of each term by itself, which costs a backward pass for each. */
  readonly separate: boolean;
}

/** What of a stage its gradients need. */
type Differentiable<B extends Batch> = Pick<Stage<B>, "gpu" | "weights" | "groups">;

/** Adds up the gradients of one step, batch by batch. */
export class GradientSum<B extends Batch> implements Disposable {
  readonly #stage: Differentiable<B>;
  readonly #options: StepOptions;
  readonly #wanted: readonly Tensor[];
  readonly #losses = new Map<string, Tensor>();
  /** By term if they are taken apart, else all under `total`. */
  readonly #gradients = new Map<string, Tensor[]>();

  constructor(stage: Differentiable<B>, options: StepOptions) {
    this.#stage = stage;
    this.#options = options;
    this.#wanted = [...stage.weights.values()];
  }

  /** Records forward and backward pass of one batch. */
  add(batch: B): void {
    for (const group of this.#stage.groups) this.#addGroup(group, batch);
  }

  /** The sums; they are the caller's. */
  finish(): StepGradients {
    const norms = new Map<string, Tensor>();
    const [first = [], ...rest] = this.#gradients.values();
    if (this.#options.separate) {
      for (const [name, own] of this.#gradients) norms.set(name, globalNorm(own as [Tensor, ...Tensor[]]));
    }
    let total = first;
    for (const own of rest) total = replaced(total, (sum, i) => add(sum, own[i]!));
    for (const own of rest) dispose(own);
    this.#gradients.clear();
    const losses = new Map(this.#losses);
    losses.set("total", this.#total());
    this.#losses.clear();
    return {
      total: total as [Tensor, ...Tensor[]],
      losses,
      norms,
      [Symbol.dispose]: () => dispose([...total, ...losses.values(), ...norms.values()]),
    };
  }

  [Symbol.dispose](): void {
    dispose([...this.#losses.values(), ...[...this.#gradients.values()].flat()]);
  }

  #addGroup({ weights, loss }: LossGroup<B>, batch: B): void {
    const { gpu } = this.#stage;
    const { recompute, separate, parts } = this.#options;
    using tape = new Tape(gpu, { recompute });
    for (const weight of this.#wanted) tape.watch(weight);
    const terms = loss(batch);
    const names = Object.keys(weights);
    for (const name of names) this.#sum(this.#losses, name, scaled(terms, name, 1 / parts));
    const seeds = names.map((name) => tensor(gpu, new Float32Array([(weights[name] ?? 0) / parts]), [1]));
    const wanted = { wanted: this.#wanted, unused: "zero" } as const;
    if (separate) {
      names.forEach((name, i) =>
        this.#addGradients(name, gradients(tape, terms[name]!, { seed: seeds[i]!, ...wanted }))
      );
    } else {
      this.#addGradients("total", gradients(tape, names.map((name) => terms[name]!), { seed: seeds, ...wanted }));
    }
    dispose([...seeds, ...Object.values(terms)]);
  }

  #addGradients(name: string, gradients: Tensor[]): void {
    const before = this.#gradients.get(name);
    this.#gradients.set(name, before ? replaced(before, (sum, i) => add(sum, gradients[i]!)) : gradients);
    if (before) dispose(gradients);
  }

  #sum(sums: Map<string, Tensor>, name: string, part: Tensor): void {
    const before = sums.get(name);
    sums.set(name, before ? add(before, part) : part);
    if (before) dispose([before, part]);
  }

  #total(): Tensor {
    const weights = Object.assign({}, ...this.#stage.groups.map((group) => group.weights)) as Record<string, number>;
    const weighted = [...this.#losses].map(([name, value]) => scale(value, weights[name] ?? 0));
    return weighted.reduce((sum, each) => {
      const next = add(sum, each);
      dispose([sum, each]);
      return next;
    });
  }
}

function scaled(terms: Terms, name: string, factor: number): Tensor {
  const term = terms[name];
  if (!term) throw new Error(`Cannot train: the loss has no term "${name}"`);
  return scale(term, factor);
}

function replaced(tensors: readonly Tensor[], next: (tensor: Tensor, i: number) => Tensor): Tensor[] {
  return tensors.map((tensor, i) => {
    const result = next(tensor, i);
    tensor.dispose();
    return result;
  });
}

function dispose(tensors: readonly Tensor[]): void {
  for (const each of tensors) each.dispose();
}

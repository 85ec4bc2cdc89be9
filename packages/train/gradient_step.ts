import { add, full, globalNorm, gradients, gradientSteps, scale, Tape, type Tensor } from "@fluxsr/kernels";
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
  /** Recompute blocks instead of keeping what they computed, which blocks that are loaded in their turn need. */
  readonly recompute: boolean;
  /** Take the gradient of each term by itself, which costs a backward pass for each. */
  readonly separate: boolean;
}

/** What of a stage its gradients need. */
type Differentiable<B extends Batch> = Pick<Stage<B>, "gpu" | "weights" | "groups" | "blocks">;

/** Adds up the gradients of one step, batch by batch. */
export class GradientSum<B extends Batch> implements Disposable {
  readonly #stage: Differentiable<B>;
  readonly #options: StepOptions;
  readonly #wanted: readonly Tensor[];
  readonly #losses = new Map<string, Tensor>();
  /** Of terms that are taken apart, until the last batch. */
  readonly #byTerm = new Map<string, readonly Tensor[]>();
  readonly #norms = new Map<string, Tensor>();
  #sum: readonly Tensor[] = [];
  #batches = 0;

  constructor(stage: Differentiable<B>, options: StepOptions) {
    this.#stage = stage;
    this.#options = options;
    this.#wanted = [...stage.weights.values()];
  }

  /** Records forward and backward pass of one batch. */
  async add(batch: B): Promise<void> {
    this.#batches++;
    for (const group of this.#stage.groups) await this.#addGroup(group, batch);
  }

  /** The sums over all batches, which have been added; they are the caller's. */
  finish(): StepGradients {
    const total = this.#sum;
    this.#sum = [];
    const norms = new Map(this.#norms);
    this.#norms.clear();
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
    dispose([...this.#losses.values(), ...this.#norms.values(), ...this.#sum, ...[...this.#byTerm.values()].flat()]);
  }

  async #addGroup({ weights, loss }: LossGroup<B>, batch: B): Promise<void> {
    const { gpu, blocks } = this.#stage;
    const { recompute, separate, parts } = this.#options;
    using tape = new Tape(gpu, { recompute });
    for (const weight of this.#wanted) tape.watch(weight);
    const terms = await loss(batch);
    const names = Object.keys(weights);
    for (const name of names) this.#addLoss(name, scaled(terms, name, 1 / parts));
    const seeds = names.map((name) => full(gpu, [1], (weights[name] ?? 0) / parts));
    const of = async (some: readonly string[]) => {
      const outputs = some.map((name) => terms[name]!);
      const seed = some.map((name) => seeds[names.indexOf(name)]);
      const options = { seed, wanted: this.#wanted, unused: "zero" } as const;
      if (!blocks) return gradients(tape, outputs, options);
      const [found] = await blocks.run([gradientSteps(tape, outputs, options)]);
      return found!;
    };
    for (const name of separate ? names : []) this.#addTerm(name, await of([name]));
    if (!separate) this.#sum = sum(this.#sum, await of(names));
    dispose([...seeds, ...Object.values(terms)]);
  }

  /** Once a term's own gradient is complete only its norm is kept, and it goes into the sum: gradients are as large as all weights. */
  #addTerm(name: string, part: readonly Tensor[]): void {
    const own = sum(this.#byTerm.get(name) ?? [], part);
    this.#byTerm.set(name, own);
    if (this.#batches < this.#options.parts) return;
    this.#byTerm.delete(name);
    this.#norms.set(name, globalNorm(own as [Tensor, ...Tensor[]]));
    this.#sum = sum(this.#sum, own);
  }

  #addLoss(name: string, part: Tensor): void {
    const before = this.#losses.get(name);
    this.#losses.set(name, before ? add(before, part) : part);
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

/** `a + b`, which are used up; an `a` that is empty is nothing yet. */
function sum(a: readonly Tensor[], b: readonly Tensor[]): readonly Tensor[] {
  if (a.length === 0) return b;
  return a.map((tensor, i) => {
    const result = add(tensor, b[i]!);
    dispose([tensor, b[i]!]);
    return result;
  });
}

function dispose(tensors: readonly Tensor[]): void {
  for (const each of tensors) each.dispose();
}

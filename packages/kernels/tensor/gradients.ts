import { add, full } from "../ops/elementwise.ts";
import { reshape } from "../ops/reshape.ts";
import { scoped } from "./scope.ts";
import type { Node, Tape } from "./tape.ts";
import { show, type Tensor } from "./tensor.ts";

/** Options of {@linkcode gradients}. */
export interface GradientOptions<Seed> {
  /** Has the shape of the output; one for each if there are several. */
  readonly seed: Seed;
  /** Watched tensors or results of ops. */
  readonly wanted: readonly Tensor[];
  /** What a wanted tensor that does not influence the output gets; the default is an error. */
  readonly unused?: "refuse" | "zero";
}

/**
 * The gradients of `sum(output * seed)` with respect to `wanted`, in their order; of several outputs, of the sum over
 * them. Stops the tape, which may be gone through again with other seeds until it is closed.
 *
 * Every intermediate gradient is freed as soon as it was passed on.
 * @throws if a wanted tensor does not influence the output, or an op on the way has no gradient
 */
export function gradients(tape: Tape, output: Tensor, options: GradientOptions<Tensor>): Tensor[];
export function gradients(
  tape: Tape,
  outputs: readonly Tensor[],
  options: GradientOptions<readonly (Tensor | undefined)[]>,
): Tensor[];
export function gradients(
  tape: Tape,
  output: Tensor | readonly Tensor[],
  { seed, ...options }: GradientOptions<Tensor | readonly (Tensor | undefined)[]>,
): Tensor[] {
  const [outputs, seeds] = [[output].flat() as Tensor[], [seed].flat() as (Tensor | undefined)[]];
  const steps = gradientSteps(tape, outputs, { seed: seeds, ...options });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * The backward pass of {@linkcode gradients}, stopping before each op that it goes back through, whose name it gives
 * out: weights that are not on the GPU can be loaded then, and freed when the op is done. Ends with the gradients.
 */
export function* gradientSteps(
  tape: Tape,
  outputs: readonly Tensor[],
  { seed: seeds, wanted, unused = "refuse" }: GradientOptions<readonly (Tensor | undefined)[]>,
): Generator<string, Tensor[]> {
  tape.stop();
  const known = new Sums();
  try {
    outputs.forEach((tensor, i) => known.add(tensor, seeds[i]));
    const stay = new Set(wanted);
    for (const node of tape.nodes.toReversed()) {
      const dys = node.outputs.map((tensor) => known.get(tensor));
      if (dys.every((dy) => dy === undefined)) continue;
      yield node.op;
      pass(node, dys, { tape, known });
      for (const tensor of node.outputs) if (!stay.has(tensor)) known.drop(tensor);
    }
    return wanted.map((tensor) => {
      const gradient = known.get(tensor);
      // A handle of its own: where an op passes its gradient on unchanged, two results would be one tensor.
      if (gradient) return reshape(gradient, tensor.shape);
      if (unused === "zero") return full(tensor.gpu, tensor.shape, 0);
      throw new Error(`Cannot differentiate: a tensor ${show(tensor.shape)} does not influence the output`);
    });
  } finally {
    known.clear();
  }
}

/** Adds the gradients that `node` makes of `dys` to those of its inputs. */
function pass(
  { op, inputs, outputs, backward }: Node,
  dys: readonly (Tensor | undefined)[],
  { tape, known }: { tape: Tape; known: Sums },
): void {
  if (!backward) throw new Error(`Cannot differentiate "${op}": it has no gradient`);
  const [first] = outputs;
  if (!first) return;
  scoped(first.gpu, () => {
    backward(dys).forEach((dx, i) => {
      const input = inputs[i];
      if (input && tape.tracks(input)) known.add(input, dx);
    });
  });
}

/** The gradient of each tensor as far as it is known; holds a handle on it. */
class Sums {
  readonly #sums = new Map<Tensor, Tensor>();

  get(tensor: Tensor): Tensor | undefined {
    return this.#sums.get(tensor);
  }

  add(tensor: Tensor, part: Tensor | undefined): void {
    if (!part) return;
    const before = this.#sums.get(tensor);
    const sum = before ? add(before, part) : part;
    this.#sums.set(tensor, sum.retain());
    before?.release();
  }

  drop(tensor: Tensor): void {
    this.#sums.get(tensor)?.release();
    this.#sums.delete(tensor);
  }

  clear(): void {
    for (const tensor of [...this.#sums.keys()]) this.drop(tensor);
  }
}

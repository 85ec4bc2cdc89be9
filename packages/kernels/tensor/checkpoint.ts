import { gradients } from "./gradients.ts";
import { scoped } from "./scope.ts";
import { openTape, Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Runs `body`, a part of a network that computes from `inputs` and weights.
 *
 * While a tape with `recompute` is open, nothing that it computes on the way is kept: the gradient runs it again. Then it
 * must give the same results. It costs one more forward pass and saves all but the inputs and outputs of the part
 * (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost").
 */
export function checkpoint<T extends readonly Tensor[]>(op: string, inputs: readonly Tensor[], body: () => T): T {
  const gpu = inputs[0]?.gpu;
  const outer = gpu && openTape(gpu);
  if (!gpu || !outer?.recompute) return body();

  let weights: Tensor[] = [];
  const outputs = scoped(gpu, () => {
    using tape = new Tape(gpu, { within: outer });
    const results = body();
    const reached = tape.nodes.flatMap((node) => node.inputs).filter((tensor) => outer.tracks(tensor));
    weights = [...new Set(reached)].filter((tensor) => !inputs.includes(tensor));
    return results;
  });
  const all = [...inputs, ...weights];
  const wanted = all.filter((tensor) => outer.tracks(tensor));
  if (wanted.length === 0) return outputs;
  outer.add({
    op,
    inputs: all,
    outputs,
    saved: all,
    backward: (dys) => {
      const found = scoped(gpu, () => {
        using tape = new Tape(gpu, { within: outer });
        return gradients(tape, body(), { seed: dys, wanted, unused: "zero" });
      });
      const of = new Map(wanted.map((tensor, i) => [tensor, found[i]]));
      return all.map((tensor) => of.get(tensor));
    },
  });
  return outputs;
}

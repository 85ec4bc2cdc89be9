import { add } from "../ops/elementwise.ts";
import { reshape } from "../ops/reshape.ts";
import { scoped } from "./scope.ts";
import type { Tape } from "./tape.ts";
import { show, type Tensor } from "./tensor.ts";

/**
 * The gradients of `sum(output * seed)` with respect to `wanted`, in their order. Stops the tape.
 *
 * @param options `seed` has the shape of `output`; `wanted` are watched tensors or results of ops
 * @throws if a wanted tensor does not influence the output, or an op on the way has no gradient
 */
export function gradients(
  tape: Tape,
  output: Tensor,
  { seed, wanted }: { seed: Tensor; wanted: readonly Tensor[] },
): Tensor[] {
  tape.stop();
  return scoped(output.gpu, () => {
    const known = new Map<Tensor, Tensor>([[output, seed]]);
    for (const { op, inputs, output, backward } of tape.nodes.toReversed()) {
      const dy = known.get(output);
      if (!dy) continue;
      if (!backward) throw new Error(`Cannot differentiate "${op}": it has no gradient`);
      backward(dy).forEach((dx, i) => {
        const input = inputs[i];
        if (!dx || !input || !tape.tracks(input)) return;
        const sum = known.get(input);
        known.set(input, sum ? add(sum, dx) : dx);
      });
    }
    const handedOut = new Set([seed]);
    return wanted.map((tensor) => {
      const gradient = known.get(tensor);
      if (!gradient) {
        throw new Error(`Cannot differentiate: a tensor ${show(tensor.shape)} does not influence the output`);
      }
      // Where an op passes its gradient on unchanged, two results would be one tensor: each is to be disposed by itself.
      const own = handedOut.has(gradient) ? reshape(gradient, gradient.shape) : gradient;
      handedOut.add(own);
      return own;
    });
  });
}

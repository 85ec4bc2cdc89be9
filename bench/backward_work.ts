import { gradients, scoped, Tape, type Tensor } from "@fluxsr/kernels";
import type { Work } from "./case.ts";

/**
 * The backward pass of what `forward` computes, as work: the gradients of the `wanted` inputs, in their order, given that
 * of the result, `dy`. The forward pass runs once, here.
 */
export function backwardWork(
  { wanted, others = [], dy }: { wanted: readonly Tensor[]; others?: readonly Tensor[]; dy: Tensor },
  forward: () => Tensor,
): Pick<Work, "inputs" | "tape" | "run"> {
  const { gpu } = dy;
  const tape = new Tape(gpu);
  for (const each of wanted) tape.watch(each);
  const y = scoped(gpu, forward);
  tape.stop();
  return { inputs: [...wanted, ...others, dy, y], tape, run: () => gradients(tape, y, { seed: dy, wanted }) };
}

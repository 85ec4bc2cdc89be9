import { gradients, scoped, Tape, type Tensor } from "@fluxsr/kernels";
import type { Work } from "./case.ts";

/**
 * The backward pass of what `forward` computes, as work: the gradients of the `wanted` inputs, in their order, given those
 * of the results, `dys`. The forward pass runs once, here.
 */
export function backwardWork(
  { wanted, others = [], dys }: {
    wanted: readonly Tensor[];
    others?: readonly Tensor[];
    dys: readonly Tensor[];
  },
  forward: () => Tensor | readonly Tensor[],
): Pick<Work, "inputs" | "tape" | "run"> {
  const { gpu } = dys[0]!;
  const tape = new Tape(gpu);
  for (const each of wanted) tape.watch(each);
  const ys = scoped(gpu, () => [forward()].flat());
  tape.stop();
  return {
    inputs: [...wanted, ...others, ...dys, ...ys],
    tape,
    run: () => gradients(tape, ys, { seed: dys, wanted }),
  };
}

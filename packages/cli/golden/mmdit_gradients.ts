import { gradients, scoped, Tape, type Tensor } from "@fluxsr/kernels";
import type { GoldenCase, Tensors } from "./case.ts";
import { compareAll, type Group } from "./compare.ts";
import { mmditInputs, type Network, upload } from "./mmdit_network.ts";
import { Recorder } from "./recorder.ts";

const FILE = "grads.safetensors";

/** What a gradient is taken of and with respect to. */
interface Loss {
  /** The transformer's inputs. */
  readonly io: Tensors;
  /** Has `probe`, the shape of the output: the loss is `sum(out * probe)`. */
  readonly probe: Tensors;
  /** By the names of their gradients. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** Compares the gradients that the case lists, if it does: of weights, and of the inputs as `grad.img` and so on. */
export async function compareGradients(golden: GoldenCase, network: Network, loss: Loss): Promise<Group[]> {
  if (!golden.files.includes(FILE)) return [];
  const tensors = { actual: await differentiate(network, loss), expected: await golden.tensors(FILE) };
  return [compareAll("grads", tensors, golden.tolerance("grads"))];
}

async function differentiate(network: Network, { io, probe, weights }: Loss): Promise<Tensors> {
  const { gpu, mmdit } = network;
  using recorder = new Recorder();
  scoped(gpu, () => {
    const inputs = mmditInputs(network, io);
    const { img, txt, y } = inputs;
    const names = new Map([...weights, ["grad.img", img], ["grad.txt", txt], ["grad.y", y]]);
    const wanted = [...names.values()];
    using tape = new Tape(gpu);
    for (const tensor of wanted) tape.watch(tensor);
    const out = mmdit.forward(inputs);
    // The text's last feed-forward network, for one, changes nothing if there are no single blocks.
    const found = gradients(tape, out, { seed: upload(gpu, probe, "probe"), wanted, unused: "zero" });
    [...names.keys()].forEach((name, i) => recorder.observe(name, found[i]!));
  });
  return await recorder.read();
}

import { attachedLora, attachLora, InputError, type LoraAdapter, mergeLora, openWeights, readLora } from "@fluxsr/core";
import type { GoldenCase } from "./case.ts";
import { compareAll } from "./compare.ts";
import type { Handler } from "./handler.ts";
import { compareGradients } from "./mmdit_gradients.ts";
import { loadBase, type Network, resultsOf, runMmdit } from "./mmdit_network.ts";

/** `lora`: the transformer of another case with adapters, on the fly and merged, and their gradients. */
export const lora: Handler = async (golden, gpu) => {
  const { network, inputs } = await loadBase(gpu, golden);
  using _ = network;
  const io = await golden.tensors("io.safetensors");
  const expected = resultsOf(io);
  const tolerance = golden.tolerance("forward");
  attachLora(gpu, network.mmdit, await readAdapters(golden, network));
  const onTheFly = compareAll("forward", { actual: await runMmdit(network, inputs), expected }, tolerance);
  const gradients = await compareGradients(golden, network, {
    io: inputs,
    probe: io,
    // Under the names that they have in the case's files.
    weights: new Map(
      [...attachedLora(network.mmdit)].flatMap(([name, { a, b }]) => [
        [`${name}.lora_A.weight`, a],
        [`${name}.lora_B.weight`, b],
      ]),
    ),
  });
  mergeLora(network.mmdit);
  const merged = compareAll("merged", { actual: await runMmdit(network, inputs), expected }, tolerance);
  return { groups: [onTheFly, ...gradients, merged], skipped: [] };
};

/** The adapters of the case, scaled by its alpha over each one's rank; they must be those of its targets. */
async function readAdapters(golden: GoldenCase, { config }: Network): Promise<Map<string, LoraAdapter>> {
  using file = await openWeights(golden.path("lora.safetensors"));
  const { adapters } = await readLora(file, config);
  const targets = golden.config.texts("targets");
  const different = [...adapters.keys()].filter((name) => !targets.includes(name))
    .concat(targets.filter((name) => !adapters.has(name)));
  if (different.length > 0) {
    throw new InputError(`Cannot load LoRA: the file must have an adapter for each target: differs in ${different[0]}`);
  }
  const alpha = golden.config.number("alpha");
  return new Map([...adapters].map(([name, adapter]) => [name, { ...adapter, scale: alpha / adapter.rank }]));
}

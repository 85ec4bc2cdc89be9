import { attachLora, InputError, type LoraAdapter, mergeLora, openWeights, readLora } from "@fluxsr/core";
import type { GoldenCase } from "./case.ts";
import { compareAll } from "./compare.ts";
import { gradientsOf, type Handler } from "./handler.ts";
import { loadBase, type Network, resultsOf, runMmdit } from "./mmdit_network.ts";

/** `lora`: the transformer of another case with adapters, on the fly and merged. */
export const lora: Handler = async (golden, gpu) => {
  const { network, inputs } = await loadBase(gpu, golden);
  using _ = network;
  const expected = resultsOf(await golden.tensors("io.safetensors"));
  const tolerance = golden.tolerance("forward");
  attachLora(gpu, network.mmdit, await readAdapters(golden, network));
  const onTheFly = compareAll("forward", { actual: await runMmdit(network, inputs), expected }, tolerance);
  mergeLora(network.mmdit);
  const merged = compareAll("merged", { actual: await runMmdit(network, inputs), expected }, tolerance);
  return { groups: [onTheFly, merged], skipped: gradientsOf(golden) };
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

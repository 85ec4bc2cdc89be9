import { mmditNames, openWeights } from "@fluxsr/core";
import { readTensors } from "./case.ts";
import { compareAll } from "./compare.ts";
import { gradientsOf, type Handler } from "./handler.ts";
import { loadMmdit, mmditConfig, resultsOf, runMmdit } from "./mmdit_network.ts";
import { compareWeights, weightsFile } from "./weights.ts";

/** `mmdit`: the transformer with all intermediate values. */
export const mmdit: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  using network = await loadMmdit(gpu, golden.path("weights.safetensors"), mmditConfig(golden, golden.config));
  const tensors = { actual: await runMmdit(network, io), expected: resultsOf(io) };
  return {
    groups: [compareAll("forward", tensors, golden.tolerance("forward"))],
    skipped: gradientsOf(golden),
  };
};

/** `mmdit-diffusers-names`: the weights of another case under diffusers' names are the same model. */
export const mmditNamed: Handler = async (golden, gpu) => {
  const path = weightsFile(golden);
  using named = await openWeights(path);
  using same = await openWeights(golden.path(golden.config.text("same_weights_as")));
  const weights = await compareWeights(mmditNames(named), same, golden.tolerance("weights"));
  const io = await readTensors(golden.path(golden.config.text("io")));
  using network = await loadMmdit(gpu, path, mmditConfig(golden, golden.config));
  const tensors = { actual: await runMmdit(network, io), expected: resultsOf(io) };
  return { groups: [weights, compareAll("forward", tensors, golden.tolerance("forward"))], skipped: [] };
};

import { mmditNames, openWeights } from "@fluxsr/core";
import { readTensors } from "./case.ts";
import { compareAll } from "./compare.ts";
import type { Handler } from "./handler.ts";
import { compareGradients } from "./mmdit_gradients.ts";
import { loadMmdit, mmditConfig, resultsOf, runMmdit } from "./mmdit_network.ts";
import { compareWeights, weightsFile } from "./weights.ts";

/** `mmdit`: the transformer with all intermediate values, and the gradients of weights and inputs. */
export const mmdit: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  using network = await loadMmdit(gpu, golden.path("weights.safetensors"), mmditConfig(golden, golden.config));
  const tensors = { actual: await runMmdit(network, io), expected: resultsOf(io) };
  const forward = compareAll("forward", tensors, golden.tolerance("forward"));
  const weights = new Map([...network.mmdit.parameters()].map(([name, parameter]) => [name, parameter.tensor]));
  return { groups: [forward, ...await compareGradients(golden, network, { io, probe: io, weights })], skipped: [] };
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

import { autoencoderNames, openWeights } from "@fluxsr/core";
import { scoped, type Tensor } from "@fluxsr/kernels";
import { compareGradients } from "./autoencoder_gradients.ts";
import { channelsFirst, loadAutoencoder, type Network, upload } from "./autoencoder_network.ts";
import { readTensors, type Tensors } from "./case.ts";
import { compareAll } from "./compare.ts";
import type { Handler } from "./handler.ts";
import { Recorder } from "./recorder.ts";
import { compareWeights, weightsFile } from "./weights.ts";

/** Tensors of `io.safetensors` that are given; all others are results. */
const GIVEN = ["image", "z", "probe_decode", "probe_latent"];

/** `autoencoder`: encoder and decoder with all intermediate values, and the gradients of weights and inputs. */
export const autoencoder: Handler = async (golden, gpu) => {
  const io = await golden.tensors("io.safetensors");
  using network = await loadAutoencoder(golden, gpu, golden.path("weights.safetensors"));
  const tensors = { actual: await run(network, io), expected: resultsOf(io) };
  const forward = compareAll("forward", tensors, golden.tolerance("forward"));
  return { groups: [forward, ...await compareGradients(golden, network, io)], skipped: [] };
};

/** `autoencoder-diffusers-names`: the weights of another case under diffusers' names are the same model. */
export const autoencoderNamed: Handler = async (golden, gpu) => {
  const path = weightsFile(golden);
  using named = await openWeights(path);
  using same = await openWeights(golden.path(golden.config.text("same_weights_as")));
  const weights = await compareWeights(autoencoderNames(named), same, golden.tolerance("weights"));
  const io = await readTensors(golden.path(golden.config.text("io")));
  using network = await loadAutoencoder(golden, gpu, path);
  const tensors = { actual: await run(network, io), expected: resultsOf(io) };
  return { groups: [weights, compareAll("forward", tensors, golden.tolerance("forward"))], skipped: [] };
};

function resultsOf(io: Tensors): Tensors {
  return new Map([...io].filter(([name]) => !GIVEN.includes(name)));
}

/** Encodes the picture and decodes the latent of `io`; the results are channels first, as in the case. */
async function run({ gpu, autoencoder }: Network, io: Tensors): Promise<Tensors> {
  using recorder = new Recorder();
  const observe = (name: string, [tile]: readonly Tensor[]) => tile && recorder.observe(name, tile);
  const [image, z] = [io.get("image"), io.get("z")];
  scoped(gpu, () => {
    if (image) observe("latent", autoencoder.encode([upload(gpu, image)], { observe }));
    if (z) observe("decoded", autoencoder.decode([upload(gpu, z)], { observe }));
  });
  return new Map([...await recorder.read()].map(([name, values]) => [name, channelsFirst(values)]));
}

import { basename, join, resolve } from "node:path";
import {
  autoencoderJson,
  moduleTensors,
  openAutoencoderFolder,
  openWeights,
  plainTensor,
  type TensorData,
  type WeightSource,
  writeJson,
  writeNetwork,
  writeSafetensors,
} from "@fluxsr/core";
import type { FlowModel } from "./flow_model.ts";

const CONDITIONING = "conditioning.safetensors";

/**
 * Writes the model folder `out`/model: the transformer as it is, and the autoencoder, text and settings of the folder
 * that `model` was opened from, tensors as they are stored there. Its LoRA was for another transformer and is left out.
 *
 * @returns the paths of the files
 * @throws {InputError} if a file cannot be read or written
 */
export async function writeFlowModel(
  out: string,
  model: FlowModel,
  { dtype }: { dtype: "F16" | "F32" },
): Promise<string[]> {
  using source = await openAutoencoderFolder(model.path);
  const folder = join(out, "model");
  const vae = await writeNetwork(join(folder, "vae"), {
    config: autoencoderJson(source.vae.config),
    tensors: await storedTensors(source.vae.source),
  });
  // Diffusers' form of this configuration could not tell other ratios, angles and biases than FLUX's.
  const transformer = await writeNetwork(join(folder, "transformer"), {
    config: model.config.transformer,
    tensors: await moduleTensors(model.mmdit, { dtype }),
  });
  const files = [...transformer, ...vae];
  const { T_L, scale, guidance, license, conditioning } = model.settings;
  if (conditioning !== undefined) {
    using text = await openWeights(conditioning);
    const path = join(folder, CONDITIONING);
    await writeSafetensors(path, await storedTensors(text));
    files.push(path);
  }
  const settings = {
    name: basename(resolve(out)),
    T_L,
    scale,
    guidance,
    ...(conditioning !== undefined && { conditioning: CONDITIONING }),
    ...(license !== undefined && { license }),
  };
  const path = join(folder, "fluxsr.json");
  await writeJson(path, settings);
  return [...files, path];
}

async function storedTensors(source: WeightSource): Promise<[string, TensorData][]> {
  const tensors: [string, TensorData][] = [];
  for (const name of source.tensors.keys()) tensors.push([name, await plainTensor(source, name)]);
  return tensors;
}

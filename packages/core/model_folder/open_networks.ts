import { InputError } from "../errors.ts";
import { pathKind } from "../files/read.ts";
import { inferAutoencoderConfig } from "./autoencoder_config.ts";
import { autoencoderNames, isAutoencoder } from "./autoencoder_names.ts";
import type { AutoencoderConfig, MmditConfig } from "./configs.ts";
import { quote, showNames } from "../files/messages.ts";
import { inferMmditConfig } from "./mmdit_config.ts";
import { isMmdit, mmditNames } from "./mmdit_names.ts";
import { type ModelFolder, type NetworkFiles, openModelFolder } from "./model_folder.ts";
import { openWeights } from "../weights/open_weights.ts";
import { refuseOtherModels, refuseSchnell } from "./recognise.ts";

/** The networks at a path, one at least. */
export interface Networks extends Disposable {
  readonly transformer?: NetworkFiles<MmditConfig>;
  readonly vae?: NetworkFiles<AutoencoderConfig>;
  /** The folder that they are in; undefined for a file. */
  readonly folder?: ModelFolder;
}

/**
 * Opens a model folder, or a file of weights (.safetensors, or an index) with a transformer, an autoencoder or both,
 * whose sizes are told from the tensors.
 *
 * @throws {InputError} if it has neither, or cannot be used
 */
export async function openNetworks(path: string): Promise<Networks> {
  if (await pathKind(path) === "folder") {
    const folder = await openModelFolder(path);
    const { transformer, vae } = folder;
    return { transformer, vae, folder, [Symbol.dispose]: () => folder.close() };
  }
  using opened = new DisposableStack();
  const source = opened.use(await openWeights(path));
  const hasTransformer = isMmdit(source.tensors), hasAutoencoder = isAutoencoder(source.tensors);
  if (!hasTransformer && !hasAutoencoder) {
    refuseOtherModels(path, source.tensors);
    const state = `it has ${showNames([...source.tensors.keys()])}`;
    throw new InputError(`Cannot open ${quote(path)}: file must hold a FLUX transformer or autoencoder: ${state}`);
  }
  const transformer = hasTransformer ? mmditNames(source) : undefined;
  const vae = hasAutoencoder ? autoencoderNames(source) : undefined;
  const config = transformer && inferMmditConfig(transformer);
  if (config) refuseSchnell(path, config);
  const { files } = source;
  const networks = {
    ...(config && { transformer: { config, source: transformer, files } }),
    ...(vae && { vae: { config: inferAutoencoderConfig(vae), source: vae, files } }),
  };
  const owned = opened.move();
  return { ...networks, [Symbol.dispose]: () => owned.dispose() };
}

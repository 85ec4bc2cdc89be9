import { dirname } from "node:path";
import { InputError } from "../errors.ts";
import { pathKind } from "../files/read.ts";
import type { AutoencoderConfig, MmditConfig } from "./configs.ts";
import { quote, showNames } from "../files/messages.ts";
import { type ModelFolder, type NetworkFiles, openModelFolder } from "./model_folder.ts";
import { AUTOENCODER, fileConfig, type Network, TRANSFORMER } from "./network.ts";
import { openWeights, type WeightFiles } from "../weights/open_weights.ts";
import { refuseOtherArchitectures, refuseOtherModels, refuseSchnell } from "./recognise.ts";

/** The networks at a path, one at least. */
export interface Networks extends Disposable {
  readonly transformer?: NetworkFiles<MmditConfig>;
  readonly vae?: NetworkFiles<AutoencoderConfig>;
  /** The folder that they are in; undefined for a file. */
  readonly folder?: ModelFolder;
}

/**
 * Opens a model folder, or a file of weights, see {@linkcode openWeights}, with a transformer, an autoencoder or both,
 * whose sizes are in a config.json beside it or told from the tensors, see {@linkcode fileConfig}.
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
  const hasTransformer = TRANSFORMER.isIn(source.tensors), hasAutoencoder = AUTOENCODER.isIn(source.tensors);
  if (!hasTransformer && !hasAutoencoder) {
    refuseOtherModels(path, source.tensors);
    refuseOtherArchitectures(source);
    const state = `it has ${showNames([...source.tensors.keys()])}`;
    throw new InputError(`Cannot open ${quote(path)}: file must hold a FLUX transformer or autoencoder: ${state}`);
  }
  const transformer = hasTransformer ? await networkOf(TRANSFORMER, source) : undefined;
  if (transformer) refuseSchnell(path, transformer.config);
  const vae = hasAutoencoder ? await networkOf(AUTOENCODER, source) : undefined;
  const owned = opened.move();
  return { ...(transformer && { transformer }), ...(vae && { vae }), [Symbol.dispose]: () => owned.dispose() };
}

/** A network of a single file. */
async function networkOf<Config>(network: Network<Config>, file: WeightFiles): Promise<NetworkFiles<Config>> {
  const source = network.withBflNames(file);
  const config = await fileConfig(network, { dir: dirname(file.path), source });
  return { config, source, files: file.files };
}

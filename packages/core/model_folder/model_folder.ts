import { join, resolve } from "node:path";
import { InputError } from "../errors.ts";
import { listFiles, pathKind } from "../files/read.ts";
import { quote, showNames } from "../files/messages.ts";
import { type Conditioning, readConditioning } from "./conditioning.ts";
import type { AutoencoderConfig, MmditConfig } from "./configs.ts";
import { otherArchitecture, refuseOtherModels, refuseOtherPipelines, refuseSchnell } from "./recognise.ts";
import { type ModelSettings, readModelSettings } from "./model_settings.ts";
import { AUTOENCODER, fileConfig, folderConfig, type Network, TRANSFORMER } from "./network.ts";
import { openWeights, type WeightFiles } from "../weights/open_weights.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/** A network of a model folder: its sizes, and its weights under BFL names. */
export interface NetworkFiles<Config> {
  readonly config: Config;
  readonly source: WeightSource;
  /** The paths of the files that the weights are in. */
  readonly files: readonly string[];
}

/** What is opened of any model folder. Only headers and JSON have been read. */
export interface AutoencoderFolder extends Disposable {
  /** Absolute. */
  readonly path: string;
  readonly vae: NetworkFiles<AutoencoderConfig>;
  readonly settings: ModelSettings;
  /** Closes all files; safe to call twice. */
  close(): void;
}

/** An open model folder. */
export interface ModelFolder extends AutoencoderFolder {
  readonly transformer: NetworkFiles<MmditConfig>;
  /** The text conditioning: the prompt's embedding, or zeros. */
  conditioning(): Promise<Conditioning>;
}

/**
 * Opens the model in folder `dir`. Each network is in a folder of the diffusers layout (`transformer/`, `vae/`, each
 * with weights and a config.json) or in one file of `dir` (`flux1-dev.safetensors` or .gguf, `ae.safetensors`, or any other
 * name: the tensors tell), with its configuration in `dir`/config.json or told by its shapes, see {@linkcode fileConfig}.
 * `fluxsr.json` is optional, see {@linkcode ModelSettings}.
 *
 * @throws {InputError} if `dir` is not a model folder, or anything in it cannot be used.
 */
export async function openModelFolder(dir: string): Promise<ModelFolder> {
  const path = await folderPath(dir);
  await refuseOtherPipelines(path);
  const settings = await readModelSettings(path);
  using opened = new DisposableStack();
  const transformer = await openNetwork(TRANSFORMER, { dir: path, opened });
  refuseSchnell(transformer.source.path, transformer.config);
  const vae = await openNetwork(AUTOENCODER, { dir: path, opened });
  checkFit(path, transformer.config, vae.config);
  const conditioning = () => readConditioning(settings.conditioning, transformer.config);
  return { path, transformer, vae, settings, conditioning, ...closing(opened.move()) };
}

/**
 * Opens the autoencoder of the model in folder `dir`, where the transformer may be missing; for the rest as
 * {@linkcode openModelFolder}.
 *
 * @throws {InputError} if `dir` is no folder with an autoencoder, or it cannot be used.
 */
export async function openAutoencoderFolder(dir: string): Promise<AutoencoderFolder> {
  const path = await folderPath(dir);
  const settings = await readModelSettings(path);
  using opened = new DisposableStack();
  const vae = await openNetwork(AUTOENCODER, { dir: path, opened });
  return { path, vae, settings, ...closing(opened.move()) };
}

/** `dir` as an absolute path. */
async function folderPath(dir: string): Promise<string> {
  const kind = await pathKind(dir);
  if (kind === "folder") return resolve(dir);
  throw new InputError(
    `Cannot open model ${quote(dir)}: ${kind === "none" ? "no such folder" : "a model must be a folder: it is a file"}`,
    { hint: LAYOUT },
  );
}

function closing(files: DisposableStack): Pick<AutoencoderFolder, "close" | typeof Symbol.dispose> {
  return { close: () => files.dispose(), [Symbol.dispose]: () => files.dispose() };
}

const LAYOUT = "a model folder has transformer/ and vae/ as diffusers saves them, " +
  "or flux1-dev.safetensors and ae.safetensors";

/** Opens one network of folder `dir`; what was opened is also given to `opened`. */
async function openNetwork<Config>(
  network: Network<Config>,
  { dir, opened }: { dir: string; opened: DisposableStack },
): Promise<NetworkFiles<Config>> {
  const folder = join(dir, network.folder);
  const inFolder = await pathKind(folder) === "folder";
  const file = inFolder ? await openWeights(folder) : await openSingleFile(dir, network);
  const source = network.withBflNames(opened.use(file));
  const config = inFolder
    ? await folderConfig(network, { folder, source })
    : await fileConfig(network, { dir, source });
  return { config, source, files: file.files };
}

/** The one .safetensors or .gguf file of `dir` that holds the network. */
async function openSingleFile<Config>(dir: string, { what, section, isIn }: Network<Config>): Promise<WeightFiles> {
  const names: string[] = [];
  const strangers: string[] = [];
  for (const name of [...await listFiles(dir, ".safetensors"), ...await listFiles(dir, ".gguf")]) {
    using file = await openWeights(join(dir, name));
    if (isIn(file.tensors)) names.push(name);
    else {
      refuseOtherModels(file.path, file.tensors);
      const architecture = otherArchitecture(file);
      if (architecture !== undefined) strangers.push(`${quote(name)} is of architecture ${quote(architecture)}`);
    }
  }
  const [name, ...others] = names;
  if (name === undefined) {
    const state = ["it has none", ...strangers].join(", ");
    throw new InputError(`Cannot open model ${quote(dir)}: folder must have ${what}: ${state}`, { hint: LAYOUT });
  }
  if (others.length > 0) {
    throw new InputError(`Cannot open model ${quote(dir)}: one file must hold the ${section}: ${showNames(names)} do`);
  }
  return await openWeights(join(dir, name));
}

/**
 * Checks that the transformer of `path` works on 2x2 patches of the autoencoder's latents.
 * @throws {InputError} if it does not
 */
export function checkFit(path: string, transformer: MmditConfig, vae: AutoencoderConfig): void {
  const { in_channels, out_channels } = transformer;
  const patch = 4 * vae.z_channels;
  if (in_channels === patch && out_channels === patch) return;
  throw new InputError(
    `Cannot open model ${quote(path)}: the transformer's in_channels and out_channels must be 4 times the ` +
      `autoencoder's z_channels (${patch}): they are ${in_channels} and ${out_channels}`,
  );
}

import { join } from "node:path";
import { pathKind, readJson } from "../files/read.ts";
import type { WeightSource } from "../weights/weight_source.ts";
import { inferAutoencoderConfig, parseAutoencoderConfig } from "./autoencoder_config.ts";
import { autoencoderNames, isAutoencoder } from "./autoencoder_names.ts";
import type { AutoencoderConfig, MmditConfig } from "./configs.ts";
import { inferMmditConfig, parseMmditConfig } from "./mmdit_config.ts";
import { isMmdit, mmditNames } from "./mmdit_names.ts";

/** What differs between the two networks of a model. */
export interface Network<Config> {
  readonly what: string;
  /** In the diffusers layout. */
  readonly folder: string;
  /** Its key in a config.json beside single files. */
  readonly section: string;
  /** What tells a configuration of it from others: diffusers' class, and a field that only BFL's has. */
  readonly configSigns: { readonly className: string; readonly field: string };
  readonly isIn: (names: ReadonlyMap<string, unknown>) => boolean;
  readonly withBflNames: (source: WeightSource) => WeightSource;
  readonly parse: (path: string, json: unknown) => Config;
  readonly infer: (source: WeightSource) => Config;
}

export const TRANSFORMER: Network<MmditConfig> = {
  what: "a transformer",
  folder: "transformer",
  section: "transformer",
  configSigns: { className: "FluxTransformer2DModel", field: "axes_dim" },
  isIn: isMmdit,
  withBflNames: mmditNames,
  parse: parseMmditConfig,
  infer: inferMmditConfig,
};

export const AUTOENCODER: Network<AutoencoderConfig> = {
  what: "an autoencoder",
  folder: "vae",
  section: "autoencoder",
  configSigns: { className: "AutoencoderKL", field: "ch_mult" },
  isIn: isAutoencoder,
  withBflNames: autoencoderNames,
  parse: parseAutoencoderConfig,
  infer: inferAutoencoderConfig,
};

/**
 * The sizes of a network that has `folder` to itself: its config.json, or where there is none, told by the shapes.
 * @throws {InputError} if they cannot be used, or not be told
 */
export async function folderConfig<Config>(
  network: Network<Config>,
  { folder, source }: { folder: string; source: WeightSource },
): Promise<Config> {
  const path = join(folder, "config.json");
  return await pathKind(path) === "none" ? network.infer(source) : network.parse(path, await readJson(path));
}

/**
 * The sizes of a network in a single file of `dir`: those of a config.json there, under the network's key or, if it is of
 * this network alone, as a whole. Where there are none, told by the shapes.
 *
 * @throws {InputError} if they cannot be used, or not be told
 */
export async function fileConfig<Config>(
  network: Network<Config>,
  { dir, source }: { dir: string; source: WeightSource },
): Promise<Config> {
  const path = join(dir, "config.json");
  const json = await pathKind(path) === "none" ? undefined : ownPart(network, await readJson(path));
  return json === undefined ? network.infer(source) : network.parse(path, json);
}

/** What of the contents of a config.json is the network's. */
function ownPart({ section, configSigns: { className, field } }: Network<unknown>, json: unknown): unknown {
  if (typeof json !== "object" || json === null) return undefined;
  const fields = json as Readonly<Record<string, unknown>>;
  return fields[section] ?? (fields._class_name === className || Object.hasOwn(fields, field) ? json : undefined);
}

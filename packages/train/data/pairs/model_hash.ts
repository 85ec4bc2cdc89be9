import { basename } from "node:path";
import { openModelFolder, type WeightSource } from "@fluxsr/core";
import { sha256 } from "./sha256.ts";

/** Which model made the pairs. */
export interface ModelIdentity {
  readonly name: string;
  /** See {@linkcode identifyModel}. */
  readonly sha256: string;
}

/**
 * Identifies the networks of the model in folder `path`, without its LoRA and its text.
 *
 * The digest is over, for the transformer and then the autoencoder: the configuration as JSON, and for each tensor in
 * the order of its name (Black Forest Labs') the name, dtype and shape as a line of JSON, and the bytes. So it is the
 * same for diffusers' and BFL's layout, sharded or not, and differs if any weight does. All weights are read once, one
 * tensor at a time: as fast as the disk, or about 1 GB/s.
 *
 * @throws {InputError} if a file cannot be read
 */
export async function identifyModel(path: string): Promise<ModelIdentity> {
  using folder = await openModelFolder(path);
  return {
    name: folder.settings.name ?? basename(folder.path),
    sha256: await sha256(networkContents([folder.transformer, folder.vae])),
  };
}

/** All that networks are: each one's configuration, and its tensors in the order of their names. */
export async function* networkContents(
  networks: readonly { readonly config: object; readonly source: WeightSource }[],
): AsyncGenerator<Uint8Array | string> {
  for (const { config, source } of networks) {
    yield `${JSON.stringify(sorted(config))}\n`;
    for (const name of [...source.tensors.keys()].sort()) {
      const { dtype, shape, bytes } = await source.read(name);
      yield `${JSON.stringify([name, dtype, shape])}\n`;
      yield bytes;
    }
  }
}

/** The same fields in the order of their names. */
function sorted(config: object): object {
  return Object.fromEntries(Object.entries(config).sort(([a], [b]) => a < b ? -1 : 1));
}

import { join } from "node:path";
import { listFiles, pathKind } from "../files/read.ts";
import { openWeights } from "../weights/open_weights.ts";
import { AUTOENCODER, TRANSFORMER } from "./network.ts";

const NETWORKS = { transformer: TRANSFORMER, vae: AUTOENCODER } as const;

/** The networks of a model folder. */
export type NetworkName = keyof typeof NETWORKS;

/**
 * Which networks are in folder `dir`: as folders, or in files of weights, where the tensors tell. Files that cannot be
 * opened have none.
 */
export async function networksIn(dir: string): Promise<Set<NetworkName>> {
  const found = new Set<NetworkName>();
  const names = Object.keys(NETWORKS) as NetworkName[];
  for (const name of names) if (await pathKind(join(dir, NETWORKS[name].folder)) === "folder") found.add(name);
  for (const file of [...await listFiles(dir, ".safetensors"), ...await listFiles(dir, ".gguf")]) {
    using source = await openWeights(join(dir, file)).catch(() => undefined);
    for (const name of names) if (source && NETWORKS[name].isIn(source.tensors)) found.add(name);
  }
  return found;
}

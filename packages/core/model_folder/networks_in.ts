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
  const weights = [...await listFiles(dir, ".safetensors"), ...await listFiles(dir, ".gguf")];
  for (const [name, { folder, isIn }] of Object.entries(NETWORKS) as [NetworkName, typeof NETWORKS[NetworkName]][]) {
    if (await pathKind(join(dir, folder)) === "folder") found.add(name);
    for (const file of weights) {
      using source = await openWeights(join(dir, file)).catch(() => undefined);
      if (source && isIn(source.tensors)) found.add(name);
    }
  }
  return found;
}

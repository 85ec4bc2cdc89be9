import { join } from "node:path";
import { listFiles, pathKind } from "../files/read.ts";
import { openWeights } from "../weights/open_weights.ts";
import { isAutoencoder } from "./autoencoder_names.ts";
import { isMmdit } from "./mmdit_names.ts";

/** The networks of a model folder. */
export type NetworkName = "transformer" | "vae";

/**
 * Which networks are in folder `dir`: as folders of these names, or in files of weights, where the tensors tell. Files
 * that cannot be opened have none.
 */
export async function networksIn(dir: string): Promise<Set<NetworkName>> {
  const found = new Set<NetworkName>();
  for (const name of ["transformer", "vae"] as const) {
    if (await pathKind(join(dir, name)) === "folder") found.add(name);
  }
  for (const name of [...await listFiles(dir, ".safetensors"), ...await listFiles(dir, ".gguf")]) {
    using source = await openWeights(join(dir, name)).catch(() => undefined);
    if (source && isMmdit(source.tensors)) found.add("transformer");
    if (source && isAutoencoder(source.tensors)) found.add("vae");
  }
  return found;
}

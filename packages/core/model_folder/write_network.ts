import { join } from "node:path";
import { writeJson } from "../files/write_json.ts";
import { ioError } from "../files/read.ts";
import { quote } from "../files/messages.ts";
import { type TensorData, writeSafetensors } from "../weights/safetensors/safetensors.ts";
import { STEM } from "../weights/safetensors/write_shards.ts";

/** A network to write. */
export interface NetworkData {
  /** What becomes config.json. */
  readonly config: object;
  /** Under BFL names. */
  readonly tensors: Iterable<readonly [string, TensorData]>;
}

/**
 * Writes a network as `transformer/` or `vae/` of a model folder, which `openModelFolder` reads: weights and config.json
 * in `folder`, which is made if there is none. Each file is whole or as it was.
 *
 * @returns the paths of the files
 * @throws {InputError} if a file cannot be written
 */
export async function writeNetwork(folder: string, { config, tensors }: NetworkData): Promise<string[]> {
  await Deno.mkdir(folder, { recursive: true }).catch((error) => {
    throw ioError(`write ${quote(folder)}`, error);
  });
  const [weights, json] = [join(folder, `${STEM}.safetensors`), join(folder, "config.json")];
  await writeSafetensors(weights, tensors, { metadata: { format: "pt" } });
  await writeJson(json, config);
  return [weights, json];
}

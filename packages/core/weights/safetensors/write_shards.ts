import { join } from "node:path";
import { writeJson } from "../../files/write_json.ts";
import { type StreamedTensor, tensorBytes } from "../streamed_tensor.ts";
import { streamSafetensors } from "./stream_safetensors.ts";

/** What diffusers calls the weights of a network in a model folder, up to the extension. */
export const STEM = "diffusion_pytorch_model";

/**
 * Writes a network's tensors into `folder` as diffusers saves them: one file, or several of at most `shardBytes` (more
 * only where a single tensor has more) with an index.
 *
 * @throws {InputError} if a file cannot be written
 */
export async function writeShards(
  folder: string,
  tensors: Iterable<readonly [string, StreamedTensor]>,
  { shardBytes, onWritten }: { shardBytes: number; onWritten: (bytes: number) => void },
): Promise<void> {
  const shards = divide(tensors, shardBytes);
  const options = { metadata: { format: "pt" }, onWritten };
  const count = String(shards.length).padStart(5, "0");
  const nameOf = (shard: number) =>
    shards.length === 1
      ? `${STEM}.safetensors`
      : `${STEM}-${String(shard + 1).padStart(5, "0")}-of-${count}.safetensors`;
  for (const [i, shard] of shards.entries()) await streamSafetensors(join(folder, nameOf(i)), shard, options);
  if (shards.length === 1) return;
  const total_size = shards.flat().reduce((sum, [, tensor]) => sum + tensorBytes(tensor), 0);
  const weight_map = Object.fromEntries(shards.flatMap((shard, i) => shard.map(([name]) => [name, nameOf(i)])));
  await writeJson(join(folder, `${STEM}.safetensors.index.json`), { metadata: { total_size }, weight_map });
}

/** Fills one shard after the other. */
function divide(tensors: Iterable<readonly [string, StreamedTensor]>, shardBytes: number) {
  const shards: (readonly [string, StreamedTensor])[][] = [[]];
  let used = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor[1]);
    if (used > 0 && used + bytes > shardBytes) {
      shards.push([]);
      used = 0;
    }
    shards.at(-1)!.push(tensor);
    used += bytes;
  }
  return shards;
}

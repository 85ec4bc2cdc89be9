import { checkFinite } from "./check.ts";
import { isReadableDtype, layoutOf } from "./dequantize.ts";
import { inBlocks } from "./in_blocks.ts";
import { openModelFolder } from "./model_folder.ts";
import { storedBytes, type WeightSource } from "./weight_source.ts";

/**
 * Reads every weight of the model in folder `directory`, as loading does but to nowhere, and checks that it is finite.
 *
 * @param options `onProgress` is told of the bytes that were read, of all
 * @throws {InputError} if a file cannot be read, or a weight is not finite
 */
export async function verifyModel(
  directory: string,
  { onProgress = () => {} }: { onProgress?: (read: number, total: number) => void } = {},
): Promise<{ readonly tensors: number; readonly bytes: number }> {
  using folder = await openModelFolder(directory);
  const sources = [folder.transformer.source, folder.vae.source];
  const total = sources.reduce((sum, source) => sum + storedBytes(source), 0);
  let bytes = 0, tensors = 0;
  for (const source of sources) {
    for (const name of source.tensors.keys()) {
      await verifyTensor(source, name, (count) => onProgress(bytes += count, total));
      tensors++;
    }
  }
  return { tensors, bytes };
}

async function verifyTensor(source: WeightSource, name: string, onBytes: (count: number) => void): Promise<void> {
  const { dtype, chunks } = await source.stream(name);
  if (!isReadableDtype(dtype)) return;
  const layout = layoutOf(dtype);
  let first = 0;
  for await (const bytes of inBlocks(chunks, dtype)) {
    checkFinite(name, { dtype, bytes, first });
    first += bytes.length / layout.bytes * layout.elements;
    onBytes(bytes.length);
  }
}

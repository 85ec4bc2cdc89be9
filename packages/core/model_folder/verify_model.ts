import { checkFinite } from "../weights/check.ts";
import { checkSha256, knownSha256 } from "./checksums.ts";
import { isReadableDtype, layoutOf } from "../weights/dtypes/dequantize.ts";
import { inBlocks } from "../weights/in_blocks.ts";
import { openModelFolder } from "./model_folder.ts";
import { storedBytes, type WeightSource } from "../weights/weight_source.ts";

/** What {@linkcode verifyModel} read. */
export interface VerifiedModel {
  readonly tensors: number;
  /** Those of files with a known checksum are read twice. */
  readonly bytes: number;
  readonly files: number;
  /** For how many of the files it is known what their checksum must be, see {@linkcode knownSha256}. */
  readonly checksums: number;
}

/**
 * Reads every weight of the model in folder `directory`, as loading does but to nowhere, and checks that it is finite;
 * before that, where the download's checksums are known, that the files have them.
 *
 * @param options `onProgress` is told of the bytes that were read, of all
 * @throws {InputError} if a file cannot be read or has another checksum, or a weight is not finite
 */
export async function verifyModel(
  directory: string,
  { onProgress = () => {} }: { onProgress?: (read: number, total: number) => void } = {},
): Promise<VerifiedModel> {
  using folder = await openModelFolder(directory);
  const networks = [folder.transformer, folder.vae];
  const files = new Set(networks.flatMap((network) => network.files));
  const expected = new Map<string, string>();
  let total = networks.reduce((sum, { source }) => sum + storedBytes(source), 0);
  for (const path of files) {
    const sha256 = await knownSha256(path, folder.path);
    if (sha256 === undefined) continue;
    expected.set(path, sha256);
    total += (await Deno.stat(path)).size;
  }
  let bytes = 0, tensors = 0;
  const onBytes = (count: number) => onProgress(bytes += count, total);
  for (const [path, sha256] of expected) await checkSha256(path, { expected: sha256, onBytes });
  for (const { source } of networks) {
    for (const name of source.tensors.keys()) {
      await verifyTensor(source, name, onBytes);
      tensors++;
    }
  }
  return { tensors, bytes, files: files.size, checksums: expected.size };
}

async function verifyTensor(source: WeightSource, name: string, onBytes: (count: number) => void): Promise<void> {
  const { dtype, chunks } = await source.stream(name);
  if (!isReadableDtype(dtype)) return;
  const layout = layoutOf(dtype);
  let first = 0;
  for await (const bytes of inBlocks(chunks, dtype)) {
    checkFinite(name, { dtype, bytes, first }, { path: source.path });
    first += bytes.length / layout.bytes * layout.elements;
    onBytes(bytes.length);
  }
}

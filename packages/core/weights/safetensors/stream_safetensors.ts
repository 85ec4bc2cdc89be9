import { quote } from "../../files/messages.ts";
import { isSafetensorsDtype } from "./header.ts";
import { streamFile } from "../stream_file.ts";
import { type StoredAs, type StreamedTensor, tensorBytes, tensorPieces } from "../streamed_tensor.ts";

/** Options of {@linkcode streamSafetensors}. */
export interface StreamOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Is told of every chunk that was written. */
  readonly onWritten?: (bytes: number) => void;
}

/**
 * Writes a safetensors file of any size: the header, then one tensor after another as they are made; `path` is whole or
 * as it was.
 *
 * @throws {InputError} if the file cannot be written (disk full, no permission, ...)
 */
export async function streamSafetensors(
  path: string,
  tensors: Iterable<readonly [string, StreamedTensor]>,
  { metadata, onWritten }: StreamOptions = {},
): Promise<void> {
  const inOrder = [...tensors].sort(([, a], [, b]) => alignment(b) - alignment(a));
  async function* pieces() {
    yield encodeHeader(inOrder, metadata);
    for (const [name, tensor] of inOrder) yield* tensorPieces(name, tensor, onWritten);
  }
  await streamFile(path, pieces());
}

/**
 * The largest power of two, up to 8, that a tensor's bytes are a multiple of. Those of the largest first, every tensor
 * starts at a multiple of its own, and so of its element size.
 */
function alignment(tensor: StoredAs): number {
  const bytes = tensorBytes(tensor);
  return [8, 4, 2].find((size) => bytes % size === 0) ?? 1;
}

/** The length, then the JSON, padded with spaces so that the data starts at a multiple of 8. */
function encodeHeader(
  tensors: readonly (readonly [string, StoredAs])[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const json: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let begin = 0;
  for (const [name, { dtype, shape }] of tensors) {
    const fail = (rule: string) => new RangeError(`Cannot write tensor ${quote(name)}: ${rule}`);
    if (Object.hasOwn(json, name)) throw fail("names must differ");
    if (!isSafetensorsDtype(dtype)) throw fail(`safetensors has no ${dtype}`);
    json[name] = { dtype, shape, data_offsets: [begin, begin += tensorBytes({ dtype, shape })] };
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  const header = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(text, 8);
  return header;
}

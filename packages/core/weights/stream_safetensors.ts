import { ioError } from "./_io.ts";
import { quote, showShape } from "./messages.ts";
import { type SafetensorsDtype, tensorBytes } from "./safetensors_header.ts";

/** What a header says of a tensor before its data. */
export interface StoredAs {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
}

/** Little-endian, row-major pieces of a tensor, one after the other. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A tensor that is made when its turn comes, so that no more of it than a chunk need be in memory. */
export interface StreamedTensor extends StoredAs {
  chunks(): Chunks;
}

/** Options of {@linkcode streamSafetensors}. */
export interface StreamOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Is told of every chunk that was written. */
  readonly onWritten?: (bytes: number) => void;
}

/**
 * Writes a safetensors file of any size: the header, then one tensor after another as they are made. It has a temporary
 * name beside `path` until it is whole, so that `path` is whole or as it was.
 *
 * @throws {InputError} if the file cannot be written (disk full, no permission, ...)
 */
export async function streamSafetensors(
  path: string,
  tensors: Iterable<readonly [string, StreamedTensor]>,
  { metadata, onWritten }: StreamOptions = {},
): Promise<void> {
  // Wide elements first, so that every tensor starts at a multiple of its element size.
  const inOrder = [...tensors].sort(([, a], [, b]) => tensorBytes(b.dtype, [1]) - tensorBytes(a.dtype, [1]));
  const temporary = `${path}.tmp-${crypto.randomUUID().slice(0, 8)}`;
  const header = encodeHeader(inOrder, metadata);
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      await writeAll(file, header);
      for (const [name, tensor] of inOrder) await writeTensor(file, { name, tensor, onWritten });
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw ioError(`write ${quote(path)}`, error);
  }
}

async function writeTensor(
  file: Deno.FsFile,
  { name, tensor, onWritten }: {
    name: string;
    tensor: StreamedTensor;
    onWritten: ((bytes: number) => void) | undefined;
  },
): Promise<void> {
  let written = 0;
  for await (const chunk of tensor.chunks()) {
    await writeAll(file, chunk);
    written += chunk.length;
    onWritten?.(chunk.length);
  }
  const { dtype, shape } = tensor;
  const needed = tensorBytes(dtype, shape);
  if (written === needed) return;
  const rule = `${dtype} ${showShape(shape)} takes ${needed} bytes`;
  throw new RangeError(`Cannot write tensor ${quote(name)}: ${rule}: it has ${written}`);
}

/** The length, then the JSON, padded with spaces so that the data starts at a multiple of 8. */
function encodeHeader(
  tensors: readonly (readonly [string, StoredAs])[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const json: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let begin = 0;
  for (const [name, { dtype, shape }] of tensors) {
    if (Object.hasOwn(json, name)) throw new RangeError(`Cannot write tensor ${quote(name)}: names must differ`);
    json[name] = { dtype, shape, data_offsets: [begin, begin += tensorBytes(dtype, shape)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  const header = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(text, 8);
  return header;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

import { InputError } from "../errors.ts";
import { ioError, pathKind } from "./_io.ts";
import { quote, showShape } from "./messages.ts";
import { parseHeader, type SafetensorsDtype, type SafetensorsEntry, tensorBytes } from "./safetensors_header.ts";

/** The format allows no larger header; that of FLUX.1-dev has 0.1 MiB. */
const MAX_HEADER_BYTES = 100 * 2 ** 20;

/** An open file whose header has been read and checked; tensors are read one at a time. */
export class SafetensorsFile implements Disposable {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #dataStart: number;
  #file: Deno.FsFile | undefined;
  /** Ends when the last read has: a file has one position, so reads take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  /** Use {@linkcode openSafetensors}. */
  constructor(file: Deno.FsFile, { path, header, size }: { path: string; header: Uint8Array; size: number }) {
    this.path = path;
    this.#file = file;
    this.#dataStart = 8 + header.length;
    const { tensors, metadata } = parseHeader(header, { path, dataBytes: size - this.#dataStart });
    this.tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * The bytes of tensor `name`, the caller's own.
   * @throws {InputError} if there is no such tensor, or the file has become shorter.
   */
  read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.#file;
    const entry = this.tensors.get(name);
    const what = `${quote(name)} of ${quote(this.path)}`;
    if (!file) return Promise.reject(new Error(`Cannot read ${what}: file is closed`));
    if (!entry) return Promise.reject(new InputError(`Cannot read ${what}: file has no such tensor`));
    const range = { path: this.path, begin: this.#dataStart + entry.begin, length: entry.end - entry.begin };
    const bytes = this.#turn.then(() => readRange(file, range));
    this.#turn = bytes.catch(() => {});
    return bytes;
  }

  /** Closes the file; safe to call twice. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a safetensors file: reads and checks the header, no tensor.
 * @throws {InputError} if there is no such file, or it is not a whole and valid safetensors file.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const fail = (rule: string) => new InputError(`Cannot open ${quote(path)}: ${rule}`);
  const kind = await pathKind(path);
  if (kind === "none") throw fail("no such file");
  if (kind !== "file") throw fail(`path must be a file: it is ${kind === "folder" ? "a folder" : "a device or pipe"}`);
  const file = await Deno.open(path).catch((error) => {
    throw ioError(`open ${quote(path)}`, error);
  });
  try {
    const { size } = await file.stat();
    if (size < 8) throw fail(`a safetensors file must have at least 8 bytes: file has ${size}`);
    const length = new DataView((await readRange(file, { path, begin: 0, length: 8 })).buffer).getBigUint64(0, true);
    if (length > MAX_HEADER_BYTES) {
      throw fail(`header must have at most ${MAX_HEADER_BYTES} bytes: header length says ${length}`);
    }
    if (length > size - 8) throw fail(`header length must fit the file: header says ${length} bytes, file has ${size}`);
    const header = await readRange(file, { path, begin: 8, length: Number(length) });
    return new SafetensorsFile(file, { path, header, size });
  } catch (error) {
    file.close();
    throw ioError(`open ${quote(path)}`, error);
  }
}

async function readRange(
  file: Deno.FsFile,
  { path, begin, length }: { path: string; begin: number; length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  try {
    await file.seek(begin, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const count = await file.read(bytes.subarray(done));
      if (count === null) {
        const state = `wanted ${length} bytes at ${begin}, got ${done}`;
        throw new InputError(`Cannot read ${quote(path)}: file became shorter: ${state}`);
      }
      done += count;
    }
  } catch (error) {
    throw ioError(`read ${quote(path)}`, error);
  }
  return bytes;
}

/** A tensor to write: `bytes` are little-endian, row-major. */
export interface TensorData {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Writes a safetensors file under a temporary name beside `path`, then renames it: `path` is whole or as it was.
 * @throws {InputError} if the file cannot be written (disk full, no permission, ...).
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, TensorData]>,
  { metadata }: { metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  // Wide elements first, so that every tensor starts at a multiple of its element size.
  const inOrder = [...tensors].sort(([, a], [, b]) => tensorBytes(b.dtype, [1]) - tensorBytes(a.dtype, [1]));
  const temporary = `${path}.tmp-${crypto.randomUUID().slice(0, 8)}`;
  const header = encodeHeader(inOrder, metadata);
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true });
      await writeAll(file, header);
      for (const [, { bytes }] of inOrder) await writeAll(file, bytes);
      await file.sync();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw ioError(`write ${quote(path)}`, error);
  }
}

/** The length, then the JSON, padded with spaces so that the data starts at a multiple of 8. */
function encodeHeader(
  tensors: readonly (readonly [string, TensorData])[],
  metadata?: Readonly<Record<string, string>>,
) {
  const json: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let begin = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    const needed = tensorBytes(dtype, shape);
    if (bytes.length !== needed || Object.hasOwn(json, name)) {
      const rule = Object.hasOwn(json, name)
        ? "names must differ"
        : `${dtype} ${showShape(shape)} takes ${needed} bytes`;
      throw new RangeError(`Cannot write tensor ${quote(name)}: ${rule}: it has ${bytes.length}`);
    }
    json[name] = { dtype, shape, data_offsets: [begin, begin += needed] };
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

import { InputError } from "../../errors.ts";
import { ByteFile } from "../byte_file.ts";
import { quote } from "../../files/messages.ts";
import { refuseText } from "../refuse_text.ts";
import { parseHeader, type SafetensorsDtype, type SafetensorsEntry } from "./header.ts";
import { streamSafetensors } from "./stream_safetensors.ts";

/** The format allows no larger header; that of FLUX.1-dev has 0.1 MiB. */
const MAX_HEADER_BYTES = 100 * 2 ** 20;

/** An open file whose header has been read and checked; tensors are read one at a time. */
export class SafetensorsFile implements Disposable {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #dataStart: number;
  readonly #file: ByteFile;

  /** Use {@linkcode openSafetensors}. */
  constructor(file: ByteFile, header: Uint8Array) {
    this.path = file.path;
    this.#file = file;
    this.#dataStart = 8 + header.length;
    const { tensors, metadata } = parseHeader(header, { path: file.path, dataBytes: file.size - this.#dataStart });
    this.tensors = tensors;
    this.metadata = metadata;
  }

  /**
   * The bytes of tensor `name`, the caller's own.
   * @throws {InputError} if there is no such tensor, or the file has become shorter.
   */
  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { begin, length } = this.#range(name);
    return await this.#file.read(begin, length);
  }

  /** As {@linkcode SafetensorsFile.read}, in pieces that are each valid until the next is asked for. */
  chunks(name: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const { begin, length } = this.#range(name);
    return this.#file.chunks(begin, length);
  }

  #range(name: string): { begin: number; length: number } {
    const entry = this.tensors.get(name);
    if (!entry) throw new InputError(`Cannot read ${quote(name)} of ${quote(this.path)}: file has no such tensor`);
    return { begin: this.#dataStart + entry.begin, length: entry.end - entry.begin };
  }

  /** Closes the file; safe to call twice. */
  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * The bytes of rows `begin` to `end` (not included) of tensor `name`, along its first axis.
   * @throws {InputError} as {@linkcode SafetensorsFile.read}
   */
  async readRows(name: string, [begin, end]: readonly [number, number]): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.tensors.get(name);
    if (!entry) throw new InputError(`Cannot read ${quote(name)} of ${quote(this.path)}: file has no such tensor`);
    const row = (entry.end - entry.begin) / (entry.shape[0] ?? 1);
    return await this.#file.read(this.#dataStart + entry.begin + begin * row, (end - begin) * row);
  }
}

/**
 * Opens a safetensors file: reads and checks the header, no tensor.
 * @throws {InputError} if there is no such file, or it is not a whole and valid safetensors file.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const fail = (rule: string) => new InputError(`Cannot open ${quote(path)}: ${rule}`);
  const file = await ByteFile.open(path);
  try {
    await refuseText(file);
    const { size } = file;
    if (size < 8) throw fail(`a safetensors file must have at least 8 bytes: file has ${size}`);
    const length = new DataView((await file.read(0, 8)).buffer).getBigUint64(0, true);
    if (length > MAX_HEADER_BYTES) {
      throw fail(`header must have at most ${MAX_HEADER_BYTES} bytes: header length says ${length}`);
    }
    if (length > size - 8) throw fail(`header length must fit the file: header says ${length} bytes, file has ${size}`);
    return new SafetensorsFile(file, await file.read(8, Number(length)));
  } catch (error) {
    file.close();
    throw error;
  }
}

/** A tensor to write: `bytes` are little-endian, row-major. */
export interface TensorData {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Writes a safetensors file of tensors in memory; `path` is whole or as it was.
 * @throws {InputError} if the file cannot be written (disk full, no permission, ...).
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<readonly [string, TensorData]>,
  { metadata }: { metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const streamed = [...tensors].map(([name, { dtype, shape, bytes }]) =>
    [name, { dtype, shape, chunks: () => [bytes] }] as const
  );
  await streamSafetensors(path, streamed, metadata ? { metadata } : {});
}

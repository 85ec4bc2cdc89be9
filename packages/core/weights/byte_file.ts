import { InputError } from "../errors.ts";
import { ioError, pathKind } from "../files/read.ts";
import { quote } from "../files/messages.ts";

/** Bytes of a piece of {@linkcode ByteFile.chunks}. */
const CHUNK = 16 * 2 ** 20;

/** A file that is read in ranges. */
export class ByteFile implements Disposable {
  readonly path: string;
  /** In bytes, when it was opened. */
  readonly size: number;
  #file: Deno.FsFile | undefined;
  /** Ends when the last read has: a file has one position, so reads take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(file: Deno.FsFile, { path, size }: { path: string; size: number }) {
    this.path = path;
    this.size = size;
    this.#file = file;
  }

  /** @throws {InputError} if there is no such file. */
  static async open(path: string): Promise<ByteFile> {
    const fail = (rule: string) => new InputError(`Cannot open ${quote(path)}: ${rule}`);
    const kind = await pathKind(path);
    if (kind === "none") throw fail("no such file");
    if (kind !== "file") {
      throw fail(`path must be a file: it is ${kind === "folder" ? "a folder" : "a device or pipe"}`);
    }
    try {
      const file = await Deno.open(path);
      return new ByteFile(file, { path, size: (await file.stat()).size });
    } catch (error) {
      throw ioError(`open ${quote(path)}`, error);
    }
  }

  /**
   * The `length` bytes from `begin` on, the caller's own.
   * @throws {InputError} if the file has become shorter.
   */
  read(begin: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#fill(new Uint8Array(length), begin);
  }

  /**
   * The `length` bytes from `begin` on in pieces, each valid until the next is asked for; that is read meanwhile. Two
   * buffers are all the memory that it takes.
   * @throws {InputError} if the file has become shorter.
   */
  async *chunks(begin: number, length: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const buffers = [0, CHUNK].map((used) => new Uint8Array(Math.max(0, Math.min(CHUNK, length - used))));
    const ask = (at: number, turn: number) => {
      const bytes = this.#fill(buffers[turn % 2]!.subarray(0, Math.min(CHUNK, length - at)), begin + at);
      bytes.catch(() => {}); // told when its turn comes, which it does not if the reader stops before
      return bytes;
    };
    if (length === 0) return;
    let next = ask(0, 0);
    for (let at = 0, turn = 1; at < length; at += CHUNK, turn++) {
      const bytes = await next;
      if (at + CHUNK < length) next = ask(at + CHUNK, turn);
      yield bytes;
    }
  }

  /** Fills `bytes` from `begin` on, after the reads that were asked for before. */
  #fill(bytes: Uint8Array<ArrayBuffer>, begin: number): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.#file;
    if (!file) return Promise.reject(new Error(`Cannot read ${quote(this.path)}: file is closed`));
    const filled = this.#turn.then(() => readRange(file, { path: this.path, begin, bytes }));
    this.#turn = filled.catch(() => {});
    return filled;
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

async function readRange(
  file: Deno.FsFile,
  { path, begin, bytes }: { path: string; begin: number; bytes: Uint8Array<ArrayBuffer> },
): Promise<Uint8Array<ArrayBuffer>> {
  const { length } = bytes;
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

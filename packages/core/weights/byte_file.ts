import { InputError } from "../errors.ts";
import { ioError, pathKind } from "./_io.ts";
import { quote } from "./messages.ts";

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
    const file = this.#file;
    if (!file) return Promise.reject(new Error(`Cannot read ${quote(this.path)}: file is closed`));
    const bytes = this.#turn.then(() => readRange(file, { path: this.path, begin, length }));
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

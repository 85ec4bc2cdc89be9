import type { InputError } from "../../errors.ts";
import { ARRAY, STRING, UINT32 } from "./types.ts";

/** Bytes of a value of each type of metadata; those of strings (8) and arrays (9) vary. */
const VALUE_BYTES: Readonly<Record<number, number>> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
};

/** Reads the little-endian fields of a GGUF header one after the other; nothing is copied but what is returned. */
export class GgufCursor {
  /** Thrown if the field goes beyond the bytes at hand, but not beyond the file. */
  readonly needsMore: symbol = Symbol("needs more bytes");
  readonly #view: DataView;
  readonly #size: number;
  readonly #fail: (rule: string) => InputError;
  #at = 0;

  /** `bytes` are the first of a file of `size`. */
  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    { size, fail }: { size: number; fail: (rule: string) => InputError },
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#size = size;
    this.#fail = fail;
  }

  /** The byte after the last field that was read. */
  get at(): number {
    return this.#at;
  }

  /** Where a field of `bytes` begins; the cursor then is after it. */
  #take(bytes: number): number {
    const begin = this.#at, end = begin + bytes;
    if (end > this.#size) {
      throw this.#fail(`file is truncated: its header needs ${end} bytes or more, it has ${this.#size}`);
    }
    if (end > this.#view.byteLength) throw this.needsMore;
    this.#at = end;
    return begin;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A u64 that counts something. */
  count(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > Number.MAX_SAFE_INTEGER) throw this.#fail(`counts must be below 2^53: one is ${value}`);
    return Number(value);
  }

  text(): string {
    const length = this.count();
    const begin = this.#take(length);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + begin, length));
  }

  /** A value of metadata; those other than strings and u32 are passed over. */
  value(): string | undefined {
    const type = this.u32();
    if (type === STRING) return this.text();
    if (type === UINT32) return String(this.u32());
    if (type !== ARRAY) this.#take(this.#valueBytes(type));
    else this.#passArray();
    return undefined;
  }

  #passArray(): void {
    const type = this.u32();
    const length = this.count();
    if (type !== STRING) {
      this.#take(length * this.#valueBytes(type));
      return;
    }
    for (let i = 0; i < length; i++) this.#take(this.count());
  }

  #valueBytes(type: number): number {
    const bytes = VALUE_BYTES[type];
    if (bytes === undefined) {
      throw this.#fail(`metadata must be of a known type, without nested arrays: one is ${type}`);
    }
    return bytes;
  }
}

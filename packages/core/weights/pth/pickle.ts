import type { InputError } from "../../errors.ts";
import { quote } from "../../files/messages.ts";

/** What a pickle may refer to. */
export interface PickleNames {
  /**
   * What `module.name` is: a function may be called with the array of its arguments (REDUCE), anything else is a value;
   * undefined for what a pickle may not refer to.
   */
  global(name: string): unknown;
  /** The object that a persistent id stands for. */
  persistent(id: unknown): unknown;
  /** The error for a file that breaks `rule`. */
  fail(rule: string): InputError;
}

/**
 * The object in a pickle of protocol 2, as torch.save writes it, and where the pickle ends in `bytes`: numbers, text, lists
 * and tuples as arrays, dicts as Maps, and what the `names` make. Opcodes are those that tensors need
 * (https://docs.python.org/3/library/pickletools.html); nothing is ever executed, and every other name is refused.
 *
 * @throws {InputError} if the pickle uses another opcode or global, or ends too early
 */
export function readPickle(bytes: Uint8Array, names: PickleNames): { object: unknown; end: number } {
  return new Reader(bytes, names).run();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #names: PickleNames;
  readonly #memo = new Map<number, unknown>();
  /** Stacks below the marks, then the current one. */
  readonly #below: unknown[][] = [];
  #stack: unknown[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, names: PickleNames) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#names = names;
  }

  run(): { object: unknown; end: number } {
    for (;;) {
      const opcode = this.#byte();
      if (opcode === 0x2e) return { object: this.pop(), end: this.#at }; // STOP
      const step = STEPS[opcode];
      if (!step) throw this.#names.fail(`pickle must have opcodes of tensors only: it has 0x${opcode.toString(16)}`);
      step(this);
    }
  }

  /** Goes past the next `length` bytes; where they begin. */
  take(length: number): number {
    const begin = this.#at;
    if (begin + length > this.#bytes.length) throw this.#names.fail("pickle must be whole: it ends too early");
    this.#at += length;
    return begin;
  }

  #byte(): number {
    return this.#view.getUint8(this.take(1));
  }

  /** A little-endian unsigned integer. */
  uint(length: 1 | 2 | 4): number {
    const at = this.take(length);
    return length === 1
      ? this.#view.getUint8(at)
      : length === 2
      ? this.#view.getUint16(at, true)
      : this.#view.getUint32(at, true);
  }

  int32(): number {
    return this.#view.getInt32(this.take(4), true);
  }

  /** Big-endian. */
  float64(): number {
    return this.#view.getFloat64(this.take(8));
  }

  /** A little-endian two's complement integer of any length. */
  long(): number {
    const length = this.uint(1), at = this.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(this.#bytes[at + i]!);
    return Number(BigInt.asIntN(8 * length, value));
  }

  text(length: number): string {
    const at = this.take(length);
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    return this.text(end < 0 ? Infinity : end + 1 - this.#at).slice(0, -1);
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw this.#broken();
    return this.#stack.pop();
  }

  mark(): void {
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  /** What was pushed since the last mark. */
  popMark(): unknown[] {
    const items = this.#stack, below = this.#below.pop();
    if (!below) throw this.#broken();
    this.#stack = below;
    return items;
  }

  /** The last `count` values as an array. */
  tuple(count: number): void {
    if (this.#stack.length < count) throw this.#broken();
    this.push(this.#stack.splice(this.#stack.length - count, count));
  }

  put(index: number): void {
    const value = this.pop();
    this.#memo.set(index, value);
    this.push(value);
  }

  get(index: number): void {
    if (!this.#memo.has(index)) throw this.#broken();
    this.push(this.#memo.get(index));
  }

  append(items: readonly unknown[]): void {
    const list = this.pop();
    if (!Array.isArray(list)) throw this.#broken();
    for (const item of items) list.push(item);
    this.push(list);
  }

  setItems(items: readonly unknown[]): void {
    const map = this.pop();
    if (!(map instanceof Map) || items.length % 2 !== 0) throw this.#broken();
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
    this.push(map);
  }

  global(): void {
    const name = `${this.line()}.${this.line()}`;
    const value = this.#names.global(name);
    if (value === undefined) {
      throw this.#names.fail(`pickle must hold tensors only: it has executable content: ${quote(name)}`);
    }
    this.push(value);
  }

  reduce(): void {
    const args = this.pop(), made = this.pop();
    if (typeof made !== "function" || !Array.isArray(args)) throw this.#broken();
    this.push(made(args));
  }

  /** The attributes of a dict, such as a state_dict's `_metadata`, say nothing of its tensors. */
  build(): void {
    this.pop();
    const object = this.pop();
    if (!(object instanceof Map)) throw this.#broken();
    this.push(object);
  }

  persistent(): void {
    this.push(this.#names.persistent(this.pop()));
  }

  #broken(): InputError {
    return this.#names.fail("pickle must be well-formed: an operation lacks its operands");
  }
}

/** By opcode. */
const STEPS: Readonly<Record<number, (reader: Reader) => void>> = {
  0x80: (r) => void r.take(1), // PROTO
  0x28: (r) => r.mark(), // MARK
  0x4e: (r) => r.push(null), // NONE
  0x88: (r) => r.push(true), // NEWTRUE
  0x89: (r) => r.push(false), // NEWFALSE
  0x4b: (r) => r.push(r.uint(1)), // BININT1
  0x4d: (r) => r.push(r.uint(2)), // BININT2
  0x4a: (r) => r.push(r.int32()), // BININT
  0x8a: (r) => r.push(r.long()), // LONG1
  0x47: (r) => r.push(r.float64()), // BINFLOAT
  0x58: (r) => r.push(r.text(r.uint(4))), // BINUNICODE
  0x55: (r) => r.push(r.text(r.uint(1))), // SHORT_BINSTRING, by Python 2
  0x29: (r) => r.push([]), // EMPTY_TUPLE
  0x85: (r) => r.tuple(1), // TUPLE1
  0x86: (r) => r.tuple(2), // TUPLE2
  0x87: (r) => r.tuple(3), // TUPLE3
  0x74: (r) => r.push(r.popMark()), // TUPLE
  0x5d: (r) => r.push([]), // EMPTY_LIST
  0x61: (r) => r.append([r.pop()]), // APPEND
  0x65: (r) => r.append(r.popMark()), // APPENDS
  0x7d: (r) => r.push(new Map()), // EMPTY_DICT
  0x73: (r) => { // SETITEM
    const value = r.pop();
    r.setItems([r.pop(), value]);
  },
  0x75: (r) => r.setItems(r.popMark()), // SETITEMS
  0x71: (r) => r.put(r.uint(1)), // BINPUT
  0x72: (r) => r.put(r.uint(4)), // LONG_BINPUT
  0x68: (r) => r.get(r.uint(1)), // BINGET
  0x6a: (r) => r.get(r.uint(4)), // LONG_BINGET
  0x63: (r) => r.global(), // GLOBAL
  0x52: (r) => r.reduce(), // REDUCE
  0x62: (r) => r.build(), // BUILD
  0x51: (r) => r.persistent(), // BINPERSID
};

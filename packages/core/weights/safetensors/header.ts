import { InputError } from "../../errors.ts";
import { quote, showShape, showValue } from "../../files/messages.ts";

/** Bits per element of every dtype of the format, https://github.com/huggingface/safetensors (0.6). */
const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
} as const;

/** A dtype name of the safetensors format; only F32, F16, BF16 and F8_E4M3 are read as weights. */
export type SafetensorsDtype = keyof typeof DTYPE_BITS;

/** One tensor of a file; `begin` and `end` are bytes from the start of the data, after the header. */
export interface SafetensorsEntry {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What a header says. */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads and checks a header: every tensor has a known dtype and the bytes that its shape needs, and the tensors fill
 * the `dataBytes` after the header without holes or overlaps.
 *
 * @throws {InputError} `Cannot open "<path>": <rule>: <state>`.
 */
export function parseHeader(header: Uint8Array, { path, dataBytes }: { path: string; dataBytes: number }) {
  const fail: Fail = (rule) => {
    throw new InputError(`Cannot open ${quote(path)}: ${rule}`);
  };
  const json = parseObject(header, fail);
  const tensors = new Map<string, SafetensorsEntry>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__") metadata = checkMetadata(value, fail);
    else tensors.set(name, checkEntry(name, value, fail));
  }
  checkLayout(tensors, dataBytes, fail);
  return { tensors, metadata } satisfies SafetensorsHeader;
}

/** Throws the error; `rule` is `<rule>: <state>`. */
type Fail = (rule: string) => never;

function parseObject(header: Uint8Array, fail: Fail): object {
  let text = "", json: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    fail("header must be UTF-8 text: it has other bytes");
  }
  try {
    json = JSON.parse(text);
  } catch {
    fail("header must be JSON: it cannot be parsed");
  }
  return isObject(json) ? json : fail(`header must be a JSON object: it is ${showValue(json)}`);
}

function checkMetadata(value: unknown, fail: Fail): Readonly<Record<string, string>> {
  const isText = isObject(value) && Object.values(value).every((text) => typeof text === "string");
  return isText ? value as Record<string, string> : fail(`__metadata__ must map names to strings: it does not`);
}

function checkEntry(name: string, value: unknown, fail: Fail): SafetensorsEntry {
  const which = `tensor ${quote(name)}`;
  if (!isObject(value)) {
    fail(`${which} must be an object with dtype, shape and data_offsets: it is ${showValue(value)}`);
  }
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== "string" || !isSafetensorsDtype(dtype)) {
    fail(`${which} must have a known dtype: dtype is ${showValue(dtype)}`);
  }
  if (!isSizes(shape)) fail(`${which} must have a shape of non-negative integers: shape is ${showValue(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    fail(`${which} must have data_offsets [begin, end] with 0 <= begin <= end: they are ${showValue(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  let bits = dtypeBits(dtype);
  for (const size of shape) bits *= size;
  if (!Number.isSafeInteger(bits)) fail(`${which} must have a size below 2^53 bits: shape is ${showShape(shape)}`);
  if (bits !== (end - begin) * 8) {
    fail(`${which} must take ${bits / 8} bytes as ${dtype} ${showShape(shape)}: data_offsets give it ${end - begin}`);
  }
  return { dtype, shape, begin, end };
}

function checkLayout(tensors: ReadonlyMap<string, SafetensorsEntry>, dataBytes: number, fail: Fail): void {
  const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  const needed = inOrder.reduce((most, [, { end }]) => Math.max(most, end), 0);
  if (needed > dataBytes) fail(`file is truncated: its tensors need ${needed} bytes of data, it has ${dataBytes}`);
  let last = 0;
  for (const [name, { begin, end }] of inOrder) {
    const state = `tensor ${quote(name)} begins at ${begin}, the data before it ends at ${last}`;
    if (begin < last) fail(`tensors must not overlap: ${state}`);
    if (begin > last) fail(`tensors must leave no holes: ${state}`);
    last = end;
  }
  if (last < dataBytes) fail(`tensors must fill the file: ${dataBytes - last} bytes follow the last one`);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Whether the format has `dtype`. */
export function isSafetensorsDtype(dtype: string): dtype is SafetensorsDtype {
  return Object.hasOwn(DTYPE_BITS, dtype);
}

/** Bits of an element. */
export function dtypeBits(dtype: SafetensorsDtype): number {
  return DTYPE_BITS[dtype];
}

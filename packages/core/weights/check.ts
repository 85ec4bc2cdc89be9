import { InputError } from "../errors.ts";
import { quote, showNames, showShape } from "../files/messages.ts";
import {
  dequantize,
  type GgmlDtype,
  isReadableDtype,
  layoutOf,
  READABLE,
  type ReadableDtype,
} from "./dtypes/dequantize.ts";
import { aligned, isWeightDtype, toF32, type WeightDtype } from "./dtypes/dtype.ts";
import type { WeightSource } from "./weight_source.ts";

/**
 * Checks that `source` has exactly the tensors `wanted` (name -> shape), stored as weights.
 * @throws {InputError} naming the missing, the unknown or the differing tensors.
 */
export function checkParameters(source: WeightSource, wanted: ReadonlyMap<string, readonly number[]>): void {
  const hint = "the file, or a config.json beside it, may be of another model";
  const fail = (what: string, rule: string) => new InputError(`Cannot load ${what}: ${rule}`, { hint });
  const missing = [...wanted.keys()].filter((name) => !source.tensors.has(name));
  if (missing.length > 0) throw fail(quote(source.path), `tensors are missing: ${showNames(missing)}`);
  const unknown = [...source.tensors.keys()].filter((name) => !wanted.has(name));
  if (unknown.length > 0) {
    throw fail(quote(source.path), `tensors are not in the model: ${showNames(unknown)}`);
  }
  for (const [name, shape] of wanted) {
    const info = source.tensors.get(name)!;
    const where = `${quote(name)} of ${quote(source.path)}`;
    if (!isReadableDtype(info.dtype)) {
      throw new InputError(`Cannot load ${where}: weights must be ${READABLE}: file has ${info.dtype}`);
    }
    if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
      throw fail(where, `file has ${showShape(info.shape)}, model needs ${showShape(shape)}`);
    }
  }
}

/**
 * Per dtype, on u32 words: a value is NaN or infinite if and only if all its exponent bits are set, and then adding
 * one unit of exponent carries into its sign bit. Both halves of a word of two values are tested at once.
 */
const EXPONENT: Readonly<Record<WeightDtype, { mask: number; unit: number; sign: number }>> = {
  F32: { mask: 0x7f800000, unit: 0x00800000, sign: 0x80000000 | 0 },
  F16: { mask: 0x7c007c00, unit: 0x04000400, sign: 0x80008000 | 0 },
  BF16: { mask: 0x7f807f80, unit: 0x00800080, sign: 0x80008000 | 0 },
};

/** Elements of a tensor as they are stored. */
interface StoredBlocks {
  readonly dtype: ReadableDtype;
  readonly bytes: Uint8Array;
  readonly first?: number;
}

/**
 * Checks that tensor `name` has no NaN and no infinity; `values` are numbers, or a tensor as it is stored, or whole blocks
 * of one from element `first` on.
 * @param options `path`: the file or folder that the tensor is in, for the message
 * @throws {InputError} naming the tensor and the index of the first such value.
 */
export function checkFinite(
  name: string,
  values: Float32Array | StoredBlocks,
  { path }: { path?: string | undefined } = {},
): void {
  const what = path === undefined ? quote(name) : `${quote(name)} of ${quote(path)}`;
  const { dtype, bytes, first = 0 } = values instanceof Float32Array
    ? { dtype: "F32" as const, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) }
    : values;
  if (!isWeightDtype(dtype)) return checkBlocks(what, { dtype, bytes, first });
  const wholeWords = bytes.length - bytes.length % 4;
  const { buffer, byteOffset } = aligned(bytes, 4);
  const words = new Uint32Array(buffer, byteOffset, wholeWords / 4);
  const { mask, unit, sign } = EXPONENT[dtype];
  let word = 0;
  while (word < words.length && ((((words[word]! & mask) + unit) | 0) & sign) === 0) word++;
  if (word * 4 === bytes.length) return;

  // The word, or the odd value after the last whole word, holds the index.
  const rest = toF32(bytes.subarray(word * 4, word * 4 + 4), dtype);
  const at = rest.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw notFinite(what, { index: first + word * (dtype === "F32" ? 1 : 2) + at, value: rest[at]! });
}

/** Quantised values are finite if and only if the f16 scales are that their blocks begin with. */
const SCALES: Readonly<Record<GgmlDtype, number>> = { Q8_0: 1, Q4_0: 1, Q4_K: 2, Q5_K: 2 };

function checkBlocks(
  what: string,
  { dtype, bytes, first }: { dtype: Exclude<ReadableDtype, WeightDtype>; bytes: Uint8Array; first: number },
): void {
  const { elements, bytes: size } = layoutOf(dtype);
  // An f8 e4m3fn is NaN, or else finite; an f16 is finite unless all its exponent bits are set.
  const isInfinite = (at: number) => (bytes[at + 1]! & 0x7c) === 0x7c;
  const isBad = dtype === "F8_E4M3"
    ? (at: number) => (bytes[at]! & 0x7f) === 0x7f
    : (at: number) => isInfinite(at) || (SCALES[dtype] === 2 && isInfinite(at + 2));
  for (let at = 0; at < bytes.length; at += size) {
    if (!isBad(at)) continue;
    const values = dequantize(bytes.subarray(at, at + size), { dtype });
    const bad = Math.max(0, values.findIndex((value) => !Number.isFinite(value)));
    throw notFinite(what, { index: first + at / size * elements + bad, value: values[bad]! });
  }
}

function notFinite(what: string, { index, value }: { index: number; value: number }): InputError {
  return new InputError(`Cannot load ${what}: weights must be finite: value ${index} is ${value}`, {
    hint: "the file is damaged, or training diverged before it was saved",
  });
}

import { sizeOf } from "@fluxsr/kernels";
import type { InputError } from "../../errors.ts";
import type { SafetensorsDtype } from "../safetensors/header.ts";
import type { TensorInfo } from "../weight_source.ts";

/** A kind of storage. */
export interface StorageType {
  readonly dtype: SafetensorsDtype;
  /** Per element. */
  readonly bytes: number;
}

/** PyTorch's storages of numbers by their name in pickles. */
export const STORAGES: ReadonlyMap<string, StorageType> = new Map<string, StorageType>([
  ["torch.FloatStorage", { dtype: "F32", bytes: 4 }],
  ["torch.HalfStorage", { dtype: "F16", bytes: 2 }],
  ["torch.BFloat16Storage", { dtype: "BF16", bytes: 2 }],
  ["torch.DoubleStorage", { dtype: "F64", bytes: 8 }],
  ["torch.LongStorage", { dtype: "I64", bytes: 8 }],
  ["torch.IntStorage", { dtype: "I32", bytes: 4 }],
  ["torch.ShortStorage", { dtype: "I16", bytes: 2 }],
  ["torch.CharStorage", { dtype: "I8", bytes: 1 }],
  ["torch.ByteStorage", { dtype: "U8", bytes: 1 }],
  ["torch.BoolStorage", { dtype: "BOOL", bytes: 1 }],
]);

/** What the persistent id of a storage says. */
export interface StorageId {
  readonly type: StorageType;
  readonly key: string;
  /** Values. */
  readonly count: number;
}

/** Reads `("storage", type, key, device, count, ...)`; undefined for what is none of {@linkcode STORAGES}. */
export function parseStorageId(id: unknown): StorageId | undefined {
  const [kind, type, key, , count] = Array.isArray(id) ? id : [];
  const known = [...STORAGES.values()].find((each) => each === type);
  return kind === "storage" && known && typeof key === "string"
    ? { type: known, key, count: Number(count) }
    : undefined;
}

/** No tensor of a model has more; each is a call within that of the one before. */
const MAX_AXES = 64;

/** Values that tensors are views of. */
export interface Storage {
  readonly type: StorageType;
  readonly data: Uint8Array;
}

/** A tensor of a .pth file. */
export interface PthTensor extends TensorInfo {
  /** Row-major, the caller's own. */
  bytes(): Uint8Array<ArrayBuffer>;
}

/**
 * `torch._utils._rebuild_tensor(storage, offset, sizes, strides)`, and what has followed on it with more arguments:
 * element (i, j, ...) of the tensor is number `offset + i strides[0] + j strides[1] + ...` of the storage.
 *
 * @throws {InputError} if the arguments are not those, or the tensor does not lie in its storage
 */
export function rebuildTensor(
  args: readonly unknown[],
  { fail, maxBytes }: { fail: (rule: string) => InputError; maxBytes: number },
): PthTensor {
  const [storage, offset, shape, strides] = args;
  if (!isStorage(storage) || !isSizes([offset]) || !isSizes(shape) || !isSizes(strides)) {
    throw fail("a tensor must have a storage, an offset, sizes and strides: it has other arguments");
  }
  if (shape.length > MAX_AXES) throw fail(`a tensor must have at most ${MAX_AXES} axes: it has ${shape.length}`);
  const { type: { dtype, bytes: size }, data } = storage;
  const count = sizeOf(shape);
  const last = shape.reduce((at, each, axis) => at + (each - 1) * (strides[axis] ?? NaN), offset as number);
  const isInside = strides.length === shape.length && (count === 0 || (last + 1) * size <= data.length);
  if (!isInside || count * size > maxBytes) throw fail("a tensor must lie in its storage: it does not");
  const bytes = () => {
    const result = new Uint8Array(count * size);
    let to = 0;
    const copy = (axis: number, from: number) => {
      if (axis === shape.length) {
        result.set(data.subarray(from * size, (from + 1) * size), to);
        to += size;
      } else if (axis === shape.length - 1 && strides[axis] === 1) {
        const length = shape[axis]! * size;
        result.set(data.subarray(from * size, from * size + length), to);
        to += length;
      } else for (let i = 0; i < shape[axis]!; i++) copy(axis + 1, from + i * strides[axis]!);
    };
    if (count > 0) copy(0, offset as number);
    return result;
  };
  return { dtype, shape, bytes };
}

function isStorage(value: unknown): value is Storage {
  return typeof value === "object" && value !== null && "data" in value && "type" in value;
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

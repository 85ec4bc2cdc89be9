import { sizeOf } from "@fluxsr/kernels";
import { checkFinite } from "./check.ts";
import { bytesPerElement, fromF32, isWeightDtype, toF32, type WeightDtype } from "./dtypes/dtype.ts";
import type { Chunks, StoredAs, StreamedTensor } from "./streamed_tensor.ts";
import type { WeightSource } from "./weight_source.ts";

/** A tensor of which any rows can be had without the others: what a file in another layout is written from. */
export interface RowTensor extends Omit<StreamedTensor, "chunks"> {
  /** The bytes of rows `begin` to `end` (not included), in chunks of whole rows or of 2^22 elements. */
  rows(begin: number, end: number): Chunks;
}

/** Elements of a chunk, whole blocks of any dtype: 16 MiB as f32. */
const CHUNK = 2 ** 22;

/** Rows of `tensor` and elements per row; a scalar is one row. */
export function rowsOf({ shape }: StoredAs): { rows: number; inner: number } {
  const [rows = 1, ...rest] = shape;
  return { rows, inner: sizeOf(rest) };
}

/**
 * The tensors of `source` as `dtype`, or as they are stored, quantised ones as BF16. Bytes of the same dtype are not
 * changed. The tensor that was read last is kept, as its parts (q, k, v of qkv) are wanted one after the other.
 *
 * Reading throws an {@linkcode InputError} if a value is not finite in `dtype`: too large for f16, say.
 */
export function sourceRows(source: WeightSource, dtype?: WeightDtype): Map<string, RowTensor> {
  let last: { name: string; values: Promise<Uint8Array> } | undefined;
  const read = (name: string, isPlain: boolean): Promise<Uint8Array> => {
    if (last?.name === name) return last.values;
    const values = isPlain
      ? source.read(name).then(({ bytes }) => bytes)
      : source.readF32(name).then(({ buffer, byteOffset, byteLength }) =>
        new Uint8Array(buffer, byteOffset, byteLength)
      );
    last = { name, values };
    return values;
  };
  return new Map([...source.tensors].map(([name, info]) => {
    const isPlain = isWeightDtype(info.dtype);
    const stored = isWeightDtype(info.dtype) ? info.dtype : "F32";
    const wanted = dtype ?? (isPlain ? stored : "BF16");
    const inner = sizeOf(info.shape.slice(1));
    const size = bytesPerElement(stored);
    const tensor: RowTensor = {
      dtype: wanted,
      shape: info.shape,
      async *rows(begin, end) {
        const bytes = await read(name, isPlain);
        for (let at = begin * inner; at < end * inner; at += CHUNK) {
          const chunk = bytes.subarray(at * size, Math.min(end * inner, at + CHUNK) * size);
          const result = stored === wanted ? chunk : fromF32(toF32(chunk, stored), wanted);
          checkFinite(name, { dtype: wanted, bytes: result, first: at }, { path: source.path });
          yield result;
        }
      },
    };
    return [name, tensor] as const;
  }));
}

import { sizeOf } from "@fluxsr/kernels";
import { type GgmlDtype, isReadableDtype, layoutOf } from "./dtypes/dequantize.ts";
import { quote, showShape } from "../files/messages.ts";
import { dtypeBits, type SafetensorsDtype } from "./safetensors/header.ts";

/** What a header says of a tensor before its data. */
export interface StoredAs {
  readonly dtype: SafetensorsDtype | GgmlDtype;
  readonly shape: readonly number[];
}

/** Little-endian, row-major pieces of a tensor, one after the other. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A tensor that is made when its turn comes, so that no more of it than a chunk need be in memory. */
export interface StreamedTensor extends StoredAs {
  /** A factor of all elements, of F8_E4M3; undefined: 1. */
  readonly scale?: (() => Promise<number>) | undefined;
  chunks(): Chunks;
}

/** Bytes of a tensor of whole blocks. */
export function tensorBytes({ dtype, shape }: StoredAs): number {
  const count = sizeOf(shape);
  if (!isReadableDtype(dtype)) return count * dtypeBits(dtype) / 8;
  const { elements, bytes } = layoutOf(dtype);
  return count / elements * bytes;
}

/**
 * The pieces of tensor `name` as they are made; `onWritten` is told of each that was taken.
 * @throws {RangeError} if they are not as many bytes as dtype and shape need
 */
export async function* tensorPieces(
  name: string,
  tensor: StreamedTensor,
  onWritten: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of tensor.chunks()) {
    yield chunk;
    written += chunk.length;
    onWritten?.(chunk.length);
  }
  const needed = tensorBytes(tensor);
  if (written === needed) return;
  const rule = `${tensor.dtype} ${showShape(tensor.shape)} takes ${needed} bytes`;
  throw new RangeError(`Cannot write tensor ${quote(name)}: ${rule}: it has ${written}`);
}

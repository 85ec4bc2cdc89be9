import { byteLength, type Dtype, rowMultiple, type Shape, sizeOf, type Tensor } from "@fluxsr/kernels";
import { checkFinite } from "../weights/check.ts";
import { dequantize, isReadableDtype, layoutOf, type ReadableDtype } from "../weights/dtypes/dequantize.ts";
import { inBlocks } from "../weights/in_blocks.ts";
import type { TensorStream } from "../weights/weight_source.ts";
import type { Parameter } from "./module.ts";
import { permuted } from "./permuted.ts";

/** How weights are kept on the GPU: as they are in the file, or all in f32. */
export type Precision = "native" | "f32";

const PACKED: Readonly<Record<ReadableDtype, Dtype>> = {
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  F8_E4M3: "f8_e4m3",
  Q8_0: "q8_0",
  Q4_0: "q4_0",
  Q4_K: "q4_k",
  Q5_K: "q5_k",
};

/** What {@linkcode upload} is told of a tensor. */
export interface UploadOptions {
  readonly name: string;
  /** The file or folder that it is in, for messages. */
  readonly path: string;
  readonly stream: TensorStream;
  /** Is told of each piece that was handed to the GPU; may wait for it. */
  readonly onPiece: (bytes: number) => Promise<void> | void;
}

/**
 * Brings a parameter's values into its `parts`, which are as {@linkcode partsOf} has them, a piece at a time.
 *
 * @throws {InputError} if a value is not finite
 */
export async function upload(
  parameter: Parameter,
  parts: readonly Tensor[],
  { name, path, stream, onPiece }: UploadOptions,
): Promise<void> {
  const { dtype, scale } = stream;
  const [part] = parts;
  if (!isReadableDtype(dtype) || !part) throw new TypeError(`Cannot load "${name}": dtype is ${dtype}`);
  const layout = layoutOf(dtype);
  const pieces = inBlocks(stream.chunks, dtype);
  if (isTurned(parameter)) return await uploadTurned(part, pieces, { name, path, parameter, dtype, scale, onPiece });
  const header = part.dtype === "f8_e4m3" ? Float32Array.of(scale ?? 1) : new Float32Array();
  const writer = new Writer(parts, bytesOf(header));
  let first = 0;
  for await (const bytes of pieces) {
    checkFinite(name, { dtype, bytes, first }, { path });
    first += bytes.length / layout.bytes * layout.elements;
    writer.write(part.dtype === "f32" ? bytesOf(dequantize(bytes, { dtype, scale })) : bytes);
    await onPiece(bytes.length);
  }
}

function isTurned(parameter: Parameter): parameter is Parameter & { readonly axes: readonly number[] } {
  return parameter.axes !== undefined;
}

/** What is to be allocated for a parameter. */
export interface PartShape {
  readonly shape: Shape;
  readonly dtype: Dtype;
}

/** The tensors that hold a parameter: one, or as many of whole rows as ask for no more than `largest` bytes each. */
export function partsOf(parameter: Parameter, { dtype, largest }: { dtype: Dtype; largest: number }): PartShape[] {
  const shape = storedShape(parameter);
  const [rows = 1, inner = 1] = shape;
  if (!parameter.packable || byteLength(dtype, rows * inner) <= largest) return [{ shape, dtype }];
  // By fours: so many columns of a product kernels write at once, and so many rows are whole words.
  const most = Math.max(4, 4 * Math.floor((largest - 4) / byteLength(dtype, 4 * inner)));
  const size = 4 * Math.ceil(rows / Math.ceil(rows / most) / 4);
  const count = Math.ceil(rows / size);
  return Array.from({ length: count }, (_, i) => ({ shape: [Math.min(size, rows - i * size), inner], dtype }));
}

function storedShape({ shape, axes }: Parameter): readonly number[] {
  return axes ? axes.map((axis) => shape[axis] ?? 0) : shape;
}

/** Kernels read packed rows that are whole blocks, four elements at a time. */
export function storedDtype(
  { shape, packable }: Parameter,
  { dtype, precision }: { dtype: string; precision: Precision },
): Dtype {
  if (!packable || precision !== "native" || !isReadableDtype(dtype)) return "f32";
  const packed = PACKED[dtype];
  return (shape.at(-1) ?? 0) % rowMultiple(packed) === 0 ? packed : "f32";
}

/** Values whose axes change places, which takes all of them at once; such weights are small. */
async function uploadTurned(
  part: Tensor,
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
  { name, path, parameter, dtype, scale, onPiece }: Pick<UploadOptions, "name" | "path" | "onPiece"> & {
    parameter: Parameter & { readonly axes: readonly number[] };
    dtype: ReadableDtype;
    scale: number | undefined;
  },
): Promise<void> {
  const { shape, axes } = parameter;
  const { elements, bytes: size } = layoutOf(dtype);
  const bytes = new Uint8Array(sizeOf(shape) / elements * size);
  let at = 0;
  for await (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  checkFinite(name, { dtype, bytes }, { path });
  part.gpu.write(part.buffer, permuted(dequantize(bytes, { dtype, scale }), shape, axes));
  await onPiece(bytes.length);
}

/** Writes a stream of bytes to the tensors one after the other. */
class Writer {
  readonly #tensors: readonly Tensor[];
  /** What each tensor begins with. */
  readonly #header: Uint8Array<ArrayBuffer>;
  #index = 0;
  #offset = 0;

  constructor(tensors: readonly Tensor[], header: Uint8Array<ArrayBuffer>) {
    this.#tensors = tensors;
    this.#header = header;
  }

  /** `bytes` are whole words, but for the last of all. */
  write(bytes: Uint8Array<ArrayBuffer>): void {
    for (let done = 0; done < bytes.length;) {
      const part = this.#tensors[this.#index];
      if (!part) throw new RangeError("Cannot load a tensor: the file has more bytes than its shape needs");
      if (this.#offset === 0) this.#put(part, this.#header);
      const room = byteLength(part.dtype, part.size) - this.#offset;
      const piece = bytes.subarray(done, done + room);
      this.#put(part, piece.length % 4 === 0 ? piece : padded(piece));
      done += piece.length;
      if (piece.length < room) continue;
      this.#index++;
      this.#offset = 0;
    }
  }

  #put(part: Tensor, bytes: Uint8Array<ArrayBuffer>): void {
    part.gpu.write(part.buffer, bytes, { offset: this.#offset });
    this.#offset += bytes.length;
  }
}

function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  return whole;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

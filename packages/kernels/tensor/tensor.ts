import type { PooledBuffer } from "../gpu/buffer_pool.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { byteLength, dataLength, type Dtype } from "./dtype.ts";
import { abandon, adopt, type Owned } from "./scope.ts";

/** Sizes, outermost first; row-major. */
export type Shape = readonly number[];

/** The number of elements of `shape`. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether all sizes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** `[2, 3]` for messages. */
export function show(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** A dense row-major array in GPU memory. Operations on it are functions in `ops/`, not methods. */
export class Tensor implements Owned {
  readonly gpu: Gpu;
  readonly shape: Shape;
  /** The number of elements. */
  readonly size: number;
  readonly dtype: Dtype;
  scope: Set<Owned> | undefined;
  readonly #buffer: PooledBuffer;
  #handles = 1;

  /** Takes over one reference to `buffer`. Use {@linkcode empty} or {@linkcode tensor}. */
  constructor(gpu: Gpu, buffer: PooledBuffer, shape: Shape, dtype: Dtype) {
    this.gpu = gpu;
    this.shape = shape;
    this.size = sizeOf(shape);
    this.dtype = dtype;
    this.#buffer = buffer;
    adopt(this);
  }

  /** @throws if the tensor was disposed. */
  get buffer(): PooledBuffer {
    if (this.#handles <= 0) throw new Error(`Cannot use tensor ${show(this.shape)}: it was disposed`);
    return this.#buffer;
  }

  /** Adds a handle: the memory stays until a {@linkcode Tensor.release} for it. */
  retain(): this {
    this.buffer;
    this.#handles++;
    return this;
  }

  /** Drops a handle; the last one gives the memory back to the pool. */
  release(): void {
    this.buffer;
    if (--this.#handles === 0) this.gpu.buffers.release(this.#buffer);
  }

  /** Drops the owner's handle now rather than at the end of the scope. */
  dispose(): void {
    abandon(this);
    this.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A tensor with undefined contents. */
export function empty(gpu: Gpu, shape: Shape, dtype: Dtype = "f32"): Tensor {
  return new Tensor(gpu, gpu.buffers.acquire(byteLength(dtype, sizeOf(shape))), shape, dtype);
}

/** Tensors with undefined contents in one allocation; no dispatch may write to one of them and read another. */
export function emptyTogether(
  gpu: Gpu,
  tensors: readonly { readonly shape: Shape; readonly dtype: Dtype }[],
): Tensor[] {
  const buffers = gpu.buffers.acquireTogether(tensors.map(({ shape, dtype }) => byteLength(dtype, sizeOf(shape))));
  return tensors.map(({ shape, dtype }, i) => new Tensor(gpu, buffers[i]!, shape, dtype));
}

/** A tensor with `data`: as many f32 as the shape has elements, or the bytes of another dtype. */
export function tensor(gpu: Gpu, data: Float32Array<ArrayBuffer>, shape: Shape): Tensor;
export function tensor(gpu: Gpu, data: Uint8Array<ArrayBuffer>, shape: Shape, dtype: Dtype): Tensor;
export function tensor(
  gpu: Gpu,
  data: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
  shape: Shape,
  dtype: Dtype = "f32",
) {
  const count = sizeOf(shape);
  const bytes = dataLength(dtype, count);
  if (data.byteLength !== bytes) {
    throw new RangeError(
      `Cannot make a ${dtype} tensor ${show(shape)}: it needs ${bytes} bytes: given ${data.byteLength}`,
    );
  }
  const result = empty(gpu, shape, dtype);
  if (bytes % 4 === 0) gpu.write(result.buffer, data);
  else {
    const padded = new Uint8Array(byteLength(dtype, count));
    padded.set(new Uint8Array(data.buffer, data.byteOffset, bytes));
    gpu.write(result.buffer, padded);
  }
  return result;
}

/** The values of f32 tensors, all in one wait. Errors of everything recorded before are thrown here. */
export async function read(...tensors: readonly Tensor[]): Promise<Float32Array<ArrayBuffer>[]> {
  const first = tensors[0];
  if (!first) return [];
  for (const { dtype } of tensors) {
    if (dtype !== "f32") throw new TypeError(`Cannot read a tensor back: it must be f32: dtype is ${dtype}`);
  }
  const parts = await first.gpu.read(tensors.map(({ buffer, size }) => ({ buffer, bytes: size * 4 })));
  return parts.map((part) => new Float32Array(part));
}

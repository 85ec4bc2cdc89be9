import { OutOfMemoryError } from "./errors.ts";

/**
 * A pooled GPU buffer with a reference count; `size` is the class size, at least the bytes asked for and a multiple of 16:
 * kernels that go by four values may run over the end of a tensor.
 */
export interface PooledBuffer {
  readonly id: number;
  readonly raw: GPUBuffer;
  readonly size: number;
  references: number;
  /** Set once the adapter has refused the memory. */
  failed: boolean;
  /** The last batch of dispatches that uses it. */
  batch: number;
}

/** Bytes on the GPU: `live` is in use, `reserved` also counts free pooled buffers, `peak` is the most ever reserved. */
export interface MemoryUse {
  readonly live: number;
  readonly reserved: number;
  readonly peak: number;
}

/** Eight sizes an octave, from 256 bytes: little is wasted, and buffers of similar tensors are interchangeable. */
function sizeClass(bytes: number): number {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(Math.max(1, bytes))) - 3));
  return Math.ceil(Math.max(1, bytes) / step) * step;
}

/**
 * Storage buffers by size class, handed out again instead of freed.
 *
 * Every buffer is destroyed explicitly: V8 does not know what a GPUBuffer weighs, so the garbage collector leaves
 * gigabytes alive. A released buffer may be acquired again at once: the queue runs dispatches in order. The oldest free
 * buffer is handed out first, so that the same work gets the same buffers each time and finds its bind groups cached.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #limit: number;
  readonly #watch: (check: Promise<GPUError | null>, what: string) => void;
  readonly #free = new Map<number, PooledBuffer[]>();
  #nextId = 0;
  #live = 0;
  #reserved = 0;
  #peak = 0;

  /** @param watch is given the error scope of each allocation */
  constructor(device: GPUDevice, watch: (check: Promise<GPUError | null>, what: string) => void) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.#device = device;
    this.#limit = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 16) * 16;
    this.#watch = watch;
  }

  get memory(): MemoryUse {
    return { live: this.#live, reserved: this.#reserved, peak: this.#peak };
  }

  /**
   * A buffer of at least `bytes`, with one reference; its contents are undefined.
   * @throws {OutOfMemoryError} if the adapter's limits do not allow one of this size.
   */
  acquire(bytes: number): PooledBuffer {
    const limit = this.#limit;
    if (bytes > limit) {
      throw new OutOfMemoryError(
        `Cannot allocate a GPU buffer: ${bytes} bytes are more than the adapter's limit of ${limit}`,
        "use a smaller --tile",
      );
    }
    const size = Math.min(sizeClass(bytes), limit);
    let buffer = this.#free.get(size)?.pop();
    while (buffer?.failed) {
      this.#destroy(buffer);
      buffer = this.#free.get(size)?.pop();
    }
    buffer ??= this.#create(size);
    buffer.references = 1;
    this.#live += size;
    return buffer;
  }

  retain(buffer: PooledBuffer): void {
    buffer.references++;
  }

  /** Drops one reference; the last one gives the buffer back to the pool. */
  release(buffer: PooledBuffer): void {
    if (buffer.references <= 0) throw new Error(`Cannot release GPU buffer ${buffer.id}: it has no references left`);
    if (--buffer.references > 0) return;
    this.#live -= buffer.size;
    const free = this.#free.get(buffer.size) ?? [];
    this.#free.set(buffer.size, free);
    const older = free.findIndex(({ id }) => id < buffer.id);
    free.splice(older < 0 ? free.length : older, 0, buffer);
  }

  /** Destroys every free buffer. Work that uses them must have been submitted. */
  trim(): void {
    for (const buffer of [...this.#free.values()].flat()) this.#destroy(buffer);
    this.#free.clear();
  }

  #destroy(buffer: PooledBuffer): void {
    buffer.raw.destroy();
    this.#reserved -= buffer.size;
  }

  #create(size: number): PooledBuffer {
    this.#device.pushErrorScope("out-of-memory");
    const raw = this.#device.createBuffer({
      label: `pool:${size}`,
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    const buffer = { id: this.#nextId++, raw, size, references: 0, failed: false, batch: -1 };
    const check = this.#device.popErrorScope().then((error) => {
      buffer.failed = error !== null;
      return error;
    });
    this.#watch(check, `a GPU buffer of ${size} bytes`);
    this.#reserved += size;
    this.#peak = Math.max(this.#peak, this.#reserved);
    return buffer;
  }
}

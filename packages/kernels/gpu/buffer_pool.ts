import { BufferLimitError, DO_LESS, OutOfMemoryError } from "./errors.ts";

/**
 * A pooled GPU buffer with a reference count; `size` is the class size, at least the bytes asked for and a multiple of 16:
 * kernels that go by four values may run over the end of a tensor.
 */
export interface PooledBuffer {
  readonly id: number;
  readonly raw: GPUBuffer;
  /** Where in `raw` it begins. */
  readonly offset: number;
  readonly size: number;
  /** The buffer that it is a part of, in {@linkcode BufferPool.acquireTogether}. */
  readonly whole?: PooledBuffer;
  references: number;
  /** Set once the adapter has refused the memory. */
  failed: boolean;
  /** The last batch of dispatches that uses it. */
  batch: number;
}

/**
 * Bytes on the GPU: `live` is in use, `reserved` also counts free pooled buffers, `peak` is the most ever reserved, and
 * `livePeak` the most in use since {@linkcode BufferPool.restartPeak}.
 */
export interface MemoryUse {
  readonly live: number;
  readonly reserved: number;
  readonly peak: number;
  readonly livePeak: number;
}

/** What WebGPU guarantees for the offset of a binding. */
const PART_ALIGNMENT = 256;

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
  /** The most bytes that may be reserved: free buffers are then given back, rather than that it is more. */
  budget: number = Infinity;
  readonly #device: GPUDevice;
  readonly #limit: number;
  readonly #largestBuffer: number;
  readonly #watch: (check: Promise<GPUError | null>, what: string) => void;
  readonly #submit: () => void;
  readonly #free = new Map<number, PooledBuffer[]>();
  #nextId = 0;
  #live = 0;
  #reserved = 0;
  #peak = 0;
  #livePeak = 0;
  #unsettled = 0;

  /** @param options `watch` is given the error scope of each allocation, `submit` submits all work that was recorded */
  constructor(
    device: GPUDevice,
    { watch, submit }: { watch: (check: Promise<GPUError | null>, what: string) => void; submit: () => void },
  ) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.#device = device;
    this.#limit = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 16) * 16;
    // Beyond 2 GiB drivers are known to lose the length of a buffer.
    this.#largestBuffer = Math.min(maxBufferSize, 2 ** 31 - PART_ALIGNMENT);
    this.#watch = watch;
    this.#submit = submit;
  }

  /** Bytes of the largest buffer that the adapter's limits allow to bind. */
  get largest(): number {
    return this.#limit;
  }

  get memory(): MemoryUse {
    return { live: this.#live, reserved: this.#reserved, peak: this.#peak, livePeak: this.#livePeak };
  }

  /** Bytes that were given back since the last {@linkcode settle}: a driver may keep them until the queue has run. */
  get unsettled(): number {
    return this.#unsettled;
  }

  /** Takes note that the queue has run. */
  settle(): void {
    this.#unsettled = 0;
  }

  /** From here on `livePeak` is counted anew. */
  restartPeak(): void {
    this.#livePeak = this.#live;
  }

  /**
   * A buffer of at least `bytes`, with one reference; its contents are undefined.
   * @throws {BufferLimitError} if the adapter's limits do not allow one of this size
   * @throws {OutOfMemoryError} if it does not fit the budget
   */
  acquire(bytes: number): PooledBuffer {
    this.#checkLimit(bytes);
    return this.#take(Math.min(sizeClass(bytes), this.#limit));
  }

  #checkLimit(bytes: number): void {
    if (bytes <= this.#limit) return;
    throw new BufferLimitError(
      `Cannot allocate a GPU buffer: ${bytes} bytes are more than the adapter's limit of ${this.#limit}`,
      DO_LESS,
    );
  }

  /**
   * Buffers of at least these `sizes`, cut from allocations as large as the adapter allows, which are free again when all
   * parts are. For weights: what is below 256 MiB the driver's allocator of Deno 2.9 (wgpu 29) puts into blocks of 128 or
   * 256 MiB, and a seventh to three quarters of these stay empty. No dispatch may write to one part and read another.
   *
   * @throws {BufferLimitError} if one of them is too large, {@linkcode OutOfMemoryError} as {@linkcode BufferPool.acquire}
   */
  acquireTogether(sizes: readonly number[]): PooledBuffer[] {
    for (const bytes of sizes) this.#checkLimit(bytes);
    const rounded = sizes.map((bytes) => Math.ceil(Math.max(1, bytes) / PART_ALIGNMENT) * PART_ALIGNMENT);
    const parts: PooledBuffer[] = [];
    try {
      for (let first = 0; first < rounded.length;) {
        let end = first, total = 0;
        while (end < rounded.length && (end === first || total + rounded[end]! <= this.#largestBuffer)) {
          total += rounded[end++]!;
        }
        parts.push(...this.#cut(this.#take(total), rounded.slice(first, end)));
        first = end;
      }
      return parts;
    } catch (error) {
      for (const part of parts) this.release(part);
      throw error;
    }
  }

  #cut(whole: PooledBuffer, sizes: readonly number[]): PooledBuffer[] {
    whole.references = sizes.length;
    let offset = 0;
    return sizes.map((size) => {
      const part = { ...whole, id: this.#nextId++, offset, size, whole, references: 1 };
      offset += size;
      return part;
    });
  }

  /** A free or else a new buffer of exactly this size. */
  #take(size: number): PooledBuffer {
    let buffer = this.#free.get(size)?.pop();
    while (buffer?.failed) {
      this.#destroy(buffer);
      buffer = this.#free.get(size)?.pop();
    }
    buffer ??= this.#create(size);
    buffer.references = 1;
    this.#live += size;
    this.#livePeak = Math.max(this.#livePeak, this.#live);
    return buffer;
  }

  retain(buffer: PooledBuffer): void {
    buffer.references++;
  }

  /** Drops one reference; the last one gives the buffer back to the pool. */
  release(buffer: PooledBuffer): void {
    if (buffer.references <= 0) throw new Error(`Cannot release GPU buffer ${buffer.id}: it has no references left`);
    if (--buffer.references > 0) return;
    if (buffer.whole) {
      // Who has the memory next must wait for what was recorded with any part of it.
      buffer.whole.batch = Math.max(buffer.whole.batch, buffer.batch);
      return this.release(buffer.whole);
    }
    this.#live -= buffer.size;
    const free = this.#free.get(buffer.size) ?? [];
    this.#free.set(buffer.size, free);
    let older = 0; // by bisection: a picture of hundreds of tiles has thousands of free buffers
    for (let end = free.length; older < end;) {
      const middle = (older + end) >> 1;
      if (free[middle]!.id < buffer.id) end = middle;
      else older = middle + 1;
    }
    free.splice(older, 0, buffer);
  }

  /** Destroys every free buffer. Work that uses them must have been submitted. */
  trim(): void {
    for (const buffer of [...this.#free.values()].flat()) this.#destroy(buffer);
    this.#free.clear();
  }

  #destroy(buffer: PooledBuffer): void {
    buffer.raw.destroy();
    this.#reserved -= buffer.size;
    this.#unsettled += buffer.size;
  }

  #create(size: number): PooledBuffer {
    if (this.#reserved + size > this.budget) {
      this.#submit();
      this.trim();
    }
    if (this.#reserved + size > this.budget) {
      throw new OutOfMemoryError(
        `Cannot allocate a GPU buffer: ${size} bytes must fit beside ${this.#reserved} into a budget of ${this.budget}`,
        `${DO_LESS}, or within a larger budget`,
      );
    }
    this.#device.pushErrorScope("out-of-memory");
    const raw = this.#device.createBuffer({
      label: `pool:${size}`,
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    const buffer: PooledBuffer = { id: this.#nextId++, raw, offset: 0, size, references: 0, failed: false, batch: -1 };
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

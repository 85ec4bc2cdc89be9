import { BindGroups } from "./bind_groups.ts";
import { BufferPool, type MemoryUse, type PooledBuffer } from "./buffer_pool.ts";
import { DeviceLostError, DO_LESS, GpuError, OutOfMemoryError } from "./errors.ts";
import { type Groups, type Kernel, packParams, PARAM_STRIDE } from "./kernel.ts";
import type { AdapterSummary } from "./adapter.ts";
import { PipelineCache } from "./pipeline_cache.ts";
import { type KernelTime, Profiler } from "./profiler.ts";
import { Tuning } from "../tuning/tuning.ts";

/** Bytes that are read back in one wait: the whole state of a training can be more than a buffer may hold. */
const READBACK = 256 * 2 ** 20;

/** What is read of a buffer. */
interface Source {
  readonly buffer: PooledBuffer;
  readonly bytes: number;
}

/** Dispatches that one batch may hold: the uniform arena has a slot for each. */
const BATCH = 4096;

/**
 * A device, its queue and its memory.
 *
 * {@linkcode Gpu.run} records; nothing reaches the GPU before {@linkcode Gpu.flush}, and nothing waits before
 * {@linkcode Gpu.read} or {@linkcode Gpu.sync} (a wait costs about 11 ms in Deno, however small). Errors of everything
 * recorded before surface at those two.
 */
export class Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterSummary;
  readonly buffers: BufferPool;
  /** The measured choices of how to compute; where there are none the rules choose. */
  tuning = new Tuning();
  readonly #pipelines: PipelineCache;
  readonly #bindGroups: BindGroups;
  readonly #arena: GPUBuffer;
  readonly #arenaData = new DataView(new ArrayBuffer(BATCH * PARAM_STRIDE));
  readonly #arenaGroup: GPUBindGroup;
  /** Where in the arena a dispatch's params are; Deno takes a typed array four times faster than a plain one. */
  readonly #offset = new Uint32Array(1);
  readonly #checks: Promise<GpuError | null>[] = [];
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #recorded = 0;
  /** Counts flushes. */
  #batch = 0;
  /** Whether something was written since the last submission. */
  #written = false;
  #profiler: Profiler | undefined;
  #lost: DeviceLostError | undefined;

  /** Use {@linkcode openGpu}. */
  constructor(device: GPUDevice, adapter: AdapterSummary) {
    this.device = device;
    this.adapter = adapter;
    this.#pipelines = new PipelineCache(device, {
      enables: adapter.enables,
      watch: (check) => this.#checks.push(check),
    });
    this.#bindGroups = new BindGroups(device);
    this.buffers = new BufferPool(device, {
      watch: (check, what) => this.#checks.push(check.then((error) => error && named(error, `allocate ${what}`))),
      submit: () => this.flush(),
    });
    this.#arena = device.createBuffer({
      label: "params",
      size: BATCH * PARAM_STRIDE,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#arenaGroup = device.createBindGroup({
      layout: this.#pipelines.paramLayout,
      entries: [{ binding: 0, resource: { buffer: this.#arena, size: PARAM_STRIDE } }],
    });
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#checks.push(Promise.resolve(named((event as GPUUncapturedErrorEvent).error, "run GPU work")));
    });
    device.lost.then(({ reason, message }) => {
      this.#lost = new DeviceLostError(
        `Cannot use the GPU: the device was lost (${reason || "unknown"})${message ? `: ${message}` : ""}`,
        `restart the program; if it happens again, ${DO_LESS}`,
      );
    });
  }

  get memory(): MemoryUse {
    return this.buffers.memory;
  }

  /** Records one dispatch of `kernel`. Buffers are given in binding order. */
  run<P extends string>(
    kernel: Kernel<string, P>,
    { buffers, params, groups }: {
      buffers: readonly PooledBuffer[];
      params: Readonly<Record<P, number>>;
      groups: Groups;
    },
  ): void {
    if (this.#lost) throw this.#lost;
    if (buffers.length !== kernel.accesses.length) {
      throw new RangeError(
        `Cannot run "${kernel.name}": it binds ${kernel.accesses.length} buffers: given ${buffers.length}`,
      );
    }
    if (this.#recorded === BATCH) this.flush();
    const pipeline = this.#pipelines.get(kernel);
    const group = this.#bindGroups.get(pipeline.layout, buffers, kernel.name);
    const offset = this.#recorded * PARAM_STRIDE;
    packParams(kernel, params, this.#arenaData, offset);
    for (const buffer of buffers) buffer.batch = this.#batch;
    this.#recorded++;
    this.#encoder ??= this.device.createCommandEncoder();
    if (this.#profiler) {
      this.#pass?.end();
      this.#pass = this.#encoder.beginComputePass({ timestampWrites: this.#profiler.next(kernel.name) });
    } else {
      this.#pass ??= this.#encoder.beginComputePass();
    }
    this.#pass.setPipeline(pipeline.raw);
    this.#pass.setBindGroup(0, group);
    this.#offset[0] = offset;
    this.#pass.setBindGroup(1, this.#arenaGroup, this.#offset, 0, 1);
    this.#pass.dispatchWorkgroups(groups[0], groups[1], groups[2]);
  }

  /** Submits what was recorded, without waiting. */
  flush(): void {
    const { queue } = this.device;
    if (this.#encoder) {
      this.#pass?.end();
      if (this.#recorded > 0) {
        queue.writeBuffer(this.#arena, 0, this.#arenaData.buffer, 0, this.#recorded * PARAM_STRIDE);
      }
      queue.submit([this.#encoder.finish()]);
    } else if (this.#written) {
      queue.submit([]); // what a write was staged in is freed by a submission
    }
    this.#encoder = this.#pass = undefined;
    this.#recorded = 0;
    this.#written = false;
    this.#batch++;
  }

  /**
   * Copies `data` (a multiple of 4 bytes) to `buffer` from byte `offset` on, after everything recorded so far.
   *
   * The queue writes before it runs what is submitted later: only a batch that uses the buffer must go first.
   */
  write(buffer: PooledBuffer, data: ArrayBufferView<ArrayBuffer>, { offset = 0 }: { offset?: number } = {}): void {
    if (data.byteLength === 0) return; // Deno 2.9 panics on an empty write
    if (buffer.batch === this.#batch) this.flush();
    this.device.queue.writeBuffer(buffer.raw, buffer.offset + offset, data);
    this.#written = true;
  }

  /** Reads the first `bytes` of each buffer, all in one wait unless they are large. */
  async read(sources: readonly Source[]): Promise<ArrayBuffer[]> {
    const read: ArrayBuffer[] = [];
    for (const together of batches(sources)) read.push(...await this.#readTogether(together));
    return read;
  }

  async #readTogether(sources: readonly Source[]): Promise<ArrayBuffer[]> {
    const total = sources.reduce((sum, { bytes }) => sum + align4(bytes), 0);
    const staging = this.device.createBuffer({
      label: "readback",
      size: Math.max(4, total),
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    this.#pass?.end();
    this.#pass = undefined;
    this.#encoder ??= this.device.createCommandEncoder();
    let offset = 0;
    for (const { buffer, bytes } of sources) {
      this.#encoder.copyBufferToBuffer(buffer.raw, buffer.offset, staging, offset, align4(bytes));
      offset += align4(bytes);
    }
    this.flush();
    try {
      await this.#wait(staging.mapAsync(GPUMapMode.READ), "read back from the GPU");
      const all = staging.getMappedRange();
      let at = 0;
      return sources.map(({ bytes }) => {
        const part = all.slice(at, at + bytes);
        at += align4(bytes);
        return part;
      });
    } finally {
      staging.destroy();
    }
  }

  /** Submits, waits until the queue is idle, and throws the first error of anything recorded before. */
  async sync(): Promise<void> {
    this.flush();
    await this.#wait(this.device.queue.onSubmittedWorkDone(), "wait for the GPU");
  }

  /**
   * Runs `work` with a timestamp around every dispatch.
   * @throws {UnsupportedFeatureError} without `timestamp-query`.
   */
  async profile<T>(work: () => T | Promise<T>): Promise<{ result: T; times: KernelTime[] }> {
    this.flush();
    const profiler = this.#profiler = new Profiler(this.device);
    try {
      const result = await work();
      this.flush();
      return { result, times: await this.#wait(profiler.finish(), "time kernels") };
    } finally {
      this.flush();
      this.#profiler = undefined;
      profiler.destroy();
    }
  }

  /** Gives the memory of free pooled buffers back to the system. */
  trim(): void {
    this.flush();
    this.buffers.trim();
  }

  /** Destroys the device and everything on it. */
  destroy(): void {
    this.device.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  /** Waits for `work`, then throws the first error of anything recorded before, or else that of `work` itself. */
  async #wait<T>(work: Promise<T>, action: string): Promise<T> {
    const [outcome] = await Promise.allSettled([work]);
    const failed = outcome.status === "rejected";
    if (failed) await new Promise((resolve) => setTimeout(resolve)); // the loss of a device is told one turn later
    const errors = (await Promise.all(this.#checks.splice(0))).filter((error) => error !== null);
    if (this.#lost) throw this.#lost;
    const first = errors.find((error) => error instanceof OutOfMemoryError) ?? errors[0];
    if (first) throw first;
    if (failed) throw new GpuError(`Cannot ${action}: ${outcome.reason.message}`);
    this.buffers.settle();
    return outcome.value;
  }
}

/** `sources` in lots of at most {@linkcode READBACK} bytes, or one that is larger; at least one lot, which may be empty. */
function batches(sources: readonly Source[]): Source[][] {
  const lots: Source[][] = [[]];
  let total = 0;
  for (const source of sources) {
    total += align4(source.bytes);
    if (total > READBACK && lots.at(-1)!.length > 0) {
      lots.push([]);
      total = align4(source.bytes);
    }
    lots.at(-1)!.push(source);
  }
  return lots;
}

function align4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

function named(error: GPUError, action: string): GpuError {
  return error.constructor.name === "GPUOutOfMemoryError"
    ? new OutOfMemoryError(`Cannot ${action}: the GPU is out of memory`, DO_LESS)
    : new GpuError(`Cannot ${action}: ${error.message}`);
}

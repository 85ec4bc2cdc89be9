import { BufferPool, type MemoryUse, type PooledBuffer } from "./buffer_pool.ts";
import { DeviceLostError, GpuError, OutOfMemoryError } from "./errors.ts";
import { type Groups, type Kernel, packParams, PARAM_STRIDE } from "./kernel.ts";
import type { AdapterSummary } from "./adapter.ts";
import { PipelineCache } from "./pipeline_cache.ts";
import { type KernelTime, Profiler } from "./profiler.ts";

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
  readonly #pipelines: PipelineCache;
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #arena: GPUBuffer;
  readonly #arenaData = new DataView(new ArrayBuffer(BATCH * PARAM_STRIDE));
  readonly #arenaGroup: GPUBindGroup;
  readonly #checks: Promise<GpuError | null>[] = [];
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #recorded = 0;
  #profiler: Profiler | undefined;
  #lost: DeviceLostError | undefined;

  /** Use {@linkcode openGpu}. */
  constructor(device: GPUDevice, adapter: AdapterSummary) {
    this.device = device;
    this.adapter = adapter;
    this.#pipelines = new PipelineCache(device, (check) => this.#checks.push(check));
    this.buffers = new BufferPool(device, {
      onDestroy: (buffer) => buffer.bindGroups.forEach((key) => this.#bindGroups.delete(key)),
      watch: (check, what) => this.#checks.push(check.then((error) => error && named(error, `allocate ${what}`))),
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
        "restart the command; if it happens again use a smaller --tile",
      );
    });
  }

  get memory(): MemoryUse {
    return this.buffers.memory;
  }

  /** Records one dispatch of `kernel`. Buffers are given in binding order. */
  run<P extends string>(
    kernel: Kernel<string, P>,
    args: { buffers: readonly PooledBuffer[]; params: Readonly<Record<P, number>>; groups: Groups },
  ): void {
    if (this.#lost) throw this.#lost;
    if (this.#recorded === BATCH) this.flush();
    const pipeline = this.#pipelines.get(kernel);
    const group = this.#bindGroup(pipeline.layout, kernel, args.buffers);
    const offset = this.#recorded * PARAM_STRIDE;
    packParams(kernel, args.params, this.#arenaData, offset);
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
    this.#pass.setBindGroup(1, this.#arenaGroup, [offset]);
    this.#pass.dispatchWorkgroups(...args.groups);
  }

  /** Submits what was recorded, without waiting. */
  flush(): void {
    if (!this.#encoder) return;
    this.#pass?.end();
    const bytes = this.#recorded * PARAM_STRIDE;
    this.device.queue.writeBuffer(this.#arena, 0, this.#arenaData.buffer, 0, bytes);
    this.device.queue.submit([this.#encoder.finish()]);
    this.#encoder = this.#pass = undefined;
    this.#recorded = 0;
  }

  /** Copies `data` (a multiple of 4 bytes) to the start of `buffer`, after everything recorded so far. */
  write(buffer: PooledBuffer, data: ArrayBufferView<ArrayBuffer>): void {
    if (data.byteLength === 0) return; // Deno 2.9 panics on an empty write
    this.flush();
    this.device.queue.writeBuffer(buffer.raw, 0, data);
  }

  /** Reads the first `bytes` of each buffer, all in one wait. */
  async read(sources: readonly { buffer: PooledBuffer; bytes: number }[]): Promise<ArrayBuffer[]> {
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
      this.#encoder.copyBufferToBuffer(buffer.raw, 0, staging, offset, align4(bytes));
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

  #bindGroup(layout: GPUBindGroupLayout, kernel: Kernel, buffers: readonly PooledBuffer[]): GPUBindGroup {
    const accesses = Object.values(kernel.binds);
    if (buffers.length !== accesses.length) {
      throw new RangeError(`Cannot run "${kernel.name}": it binds ${accesses.length} buffers: given ${buffers.length}`);
    }
    const key = `${accesses.map((access) => access === "read" ? "r" : "w").join("")}:${
      buffers.map((b) => b.id).join()
    }`;
    let group = this.#bindGroups.get(key);
    if (!group) {
      group = this.device.createBindGroup({
        label: kernel.name,
        layout,
        entries: buffers.map(({ raw }, binding) => ({ binding, resource: { buffer: raw } })),
      });
      this.#bindGroups.set(key, group);
      for (const buffer of buffers) buffer.bindGroups.add(key);
    }
    return group;
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
    return outcome.value;
  }
}

function align4(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

function named(error: GPUError, action: string): GpuError {
  return error.constructor.name === "GPUOutOfMemoryError"
    ? new OutOfMemoryError(`Cannot ${action}: the GPU is out of memory`, "use a smaller --tile")
    : new GpuError(`Cannot ${action}: ${error.message}`);
}

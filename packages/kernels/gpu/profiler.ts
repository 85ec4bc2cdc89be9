import { UnsupportedFeatureError } from "./errors.ts";

/** GPU time of one dispatch. */
export interface KernelTime {
  readonly kernel: string;
  readonly milliseconds: number;
}

/** Queries in one set: WebGPU allows 4096. */
const QUERIES = 4096;

/** Brackets every dispatch with two timestamps while it is attached to a {@linkcode Gpu}. */
export class Profiler {
  readonly #device: GPUDevice;
  readonly #sets: { set: GPUQuerySet; resolved: GPUBuffer; names: string[] }[] = [];

  /** @throws {UnsupportedFeatureError} if the device was opened without `timestamp-query`. */
  constructor(device: GPUDevice) {
    if (!device.features.has("timestamp-query")) {
      throw new UnsupportedFeatureError("Cannot time kernels: the adapter does not offer timestamp-query");
    }
    this.#device = device;
  }

  /** The `timestampWrites` of the next pass, which runs `kernel`. */
  next(kernel: string): GPUComputePassTimestampWrites {
    let current = this.#sets.at(-1);
    if (!current || current.names.length * 2 >= QUERIES) {
      current = {
        set: this.#device.createQuerySet({ type: "timestamp", count: QUERIES }),
        resolved: this.#device.createBuffer({
          size: QUERIES * 8,
          usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
        }),
        names: [],
      };
      this.#sets.push(current);
    }
    const index = current.names.push(kernel) - 1;
    return { querySet: current.set, beginningOfPassWriteIndex: index * 2, endOfPassWriteIndex: index * 2 + 1 };
  }

  /** Waits for the queue and reads all timestamps. */
  async finish(): Promise<KernelTime[]> {
    const device = this.#device;
    const times: KernelTime[] = [];
    for (const { set, resolved, names } of this.#sets) {
      const bytes = names.length * 16;
      const staging = device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(set, 0, names.length * 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const stamps = new BigUint64Array(staging.getMappedRange());
      names.forEach((kernel, i) =>
        times.push({ kernel, milliseconds: Number((stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n)) / 1e6 })
      );
      staging.destroy();
    }
    return times;
  }

  /** Destroys the query sets. Passes that write to them must have been submitted. */
  destroy(): void {
    for (const { set, resolved } of this.#sets.splice(0)) {
      set.destroy();
      resolved.destroy();
    }
  }
}

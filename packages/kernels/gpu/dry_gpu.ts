import { type Groups, type Kernel, packParams, PARAM_STRIDE } from "./kernel.ts";
import type { AdapterSummary } from "./adapter.ts";
import type { PooledBuffer } from "./buffer_pool.ts";
import { Gpu } from "./gpu.ts";

const NO_ADAPTER: AdapterSummary = {
  description: "dry run",
  vendor: "",
  software: false,
  features: [],
  enables: [],
  subgroups: undefined,
  workgroupMemory: 49_152,
  matrices: [],
};

/** Limits that memory is planned under. */
export interface DryLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/**
 * A GPU that computes nothing and holds nothing: the same code that would run on a real one tells in
 * {@linkcode Gpu.memory} what memory it takes, and here what it computes. What is read back is 0.
 */
export class DryGpu extends Gpu {
  #flops = 0;
  #dispatches = 0;
  readonly #params = new DataView(new ArrayBuffer(PARAM_STRIDE));

  constructor(
    limits: DryLimits = { maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: 2 ** 40 },
    adapter: AdapterSummary = NO_ADAPTER,
  ) {
    super(hollowDevice(limits), adapter);
  }

  /** One on which the same ways of computing are chosen as on `gpu`. */
  static like({ device: { limits }, adapter, tuning }: Gpu): DryGpu {
    const dry = new DryGpu(limits, adapter);
    dry.tuning = tuning;
    return dry;
  }

  /** Floating-point operations of all matrix products, convolutions and attention so far. */
  get flops(): number {
    return this.#flops;
  }

  get dispatches(): number {
    return this.#dispatches;
  }

  override run<P extends string>(
    kernel: Kernel<string, P>,
    { params, groups }: { buffers: readonly PooledBuffer[]; params: Readonly<Record<P, number>>; groups: Groups },
  ): void {
    packParams(kernel, params, this.#params, 0);
    this.#dispatches++;
    this.#flops += kernel.flops?.(params, groups) ?? 0;
  }

  override flush(): void {}

  override write(): void {}

  override read(sources: readonly { buffer: PooledBuffer; bytes: number }[]): Promise<ArrayBuffer[]> {
    return Promise.resolve(sources.map(({ bytes }) => new ArrayBuffer(bytes)));
  }

  override sync(): Promise<void> {
    return Promise.resolve();
  }
}

/** As much of a device as the bookkeeping of {@linkcode Gpu} asks for. */
function hollowDevice(limits: DryLimits): GPUDevice {
  const device = {
    limits,
    lost: new Promise(() => {}),
    addEventListener() {},
    createBuffer: () => ({ destroy() {} }),
    createBindGroup: () => ({}),
    createBindGroupLayout: () => ({}),
    pushErrorScope() {},
    popErrorScope: () => Promise.resolve(null),
    destroy() {},
  };
  return device as unknown as GPUDevice;
}

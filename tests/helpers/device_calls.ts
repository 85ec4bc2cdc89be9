import type { Gpu } from "@fluxsr/kernels";
import { vi } from "vitest";

/** How often `work` makes something on the device, submits to it and waits for it. */
export interface DeviceCalls {
  readonly buffers: number;
  readonly bindGroups: number;
  readonly pipelines: number;
  readonly submissions: number;
  readonly waits: number;
}

/** Counts what `work` asks of the device. */
export async function deviceCalls({ device }: Gpu, work: () => void | Promise<void>): Promise<DeviceCalls> {
  const spies = {
    buffers: vi.spyOn(device, "createBuffer"),
    bindGroups: vi.spyOn(device, "createBindGroup"),
    pipelines: vi.spyOn(device, "createComputePipeline"),
    submissions: vi.spyOn(device.queue, "submit"),
    maps: vi.spyOn(GPUBuffer.prototype, "mapAsync"),
    syncs: vi.spyOn(device.queue, "onSubmittedWorkDone"),
  };
  try {
    await work();
    const count = (name: keyof typeof spies) => spies[name].mock.calls.length;
    return {
      buffers: count("buffers"),
      bindGroups: count("bindGroups"),
      pipelines: count("pipelines"),
      submissions: count("submissions"),
      waits: count("maps") + count("syncs"),
    };
  } finally {
    for (const spy of Object.values(spies)) spy.mockRestore();
  }
}

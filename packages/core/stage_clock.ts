import type { Gpu } from "@fluxsr/kernels";

/** Adds up the wall time of stages, if it is on, and notes their memory; a stage ends when the GPU has finished it. */
export class StageClock {
  readonly stages: Record<string, number> = {};
  /** The most bytes of the GPU that were in use at a time of each stage. */
  readonly bytes: Record<string, number> = {};
  readonly #gpu: Gpu;
  readonly #on: boolean;

  constructor(gpu: Gpu, on: boolean) {
    this.#gpu = gpu;
    this.#on = on;
  }

  async measure<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
    const { buffers } = this.#gpu;
    buffers.restartPeak();
    const start = performance.now();
    const result = await work();
    this.bytes[stage] = Math.max(this.bytes[stage] ?? 0, buffers.memory.livePeak);
    if (!this.#on) return result;
    await this.#gpu.sync();
    this.stages[stage] = (this.stages[stage] ?? 0) + performance.now() - start;
    return result;
  }
}

import type { Gpu } from "@fluxsr/kernels";

/** Under a budget the memory of one network is given back before the next needs its own, once the GPU does not use it. */
export async function makeRoom(gpu: Gpu): Promise<void> {
  if (gpu.buffers.budget === Infinity) return;
  await gpu.sync();
  gpu.trim();
}

import type { Gpu } from "@fluxsr/kernels";

/** The share of what was held when the GPU ran out of memory that is gone on with: uploads run ahead of the refusal. */
const SHARE = 0.85;

/**
 * After a job ran out of memory and gave up what it had: frees what is left of it.
 *
 * @returns the bytes to go on within: what was held tells how much there is; less each time it happens again
 */
export async function smallerBudget(gpu: Gpu): Promise<number> {
  const budget = Math.floor(SHARE * Math.min(gpu.buffers.budget, gpu.memory.peak));
  await gpu.sync().catch(() => {}); // what else failed for the same reason; a device that is lost says so again
  gpu.trim();
  return budget;
}

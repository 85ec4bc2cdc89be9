import { BufferLimitError, type Gpu, OutOfMemoryError } from "@fluxsr/kernels";
import { OverBudgetError } from "../errors.ts";
import { byteSize } from "./byte_size.ts";

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

/** Tells what is gone on within. */
export function ranOutNotice(budget: number): string {
  return `The GPU ran out of memory: going on within ${byteSize(budget)}, as with --max-vram`;
}

/**
 * Does `work`, which keeps to the budget of the GPU. Where there is none, a GPU that runs out of memory has told how much
 * there is: the work begins again within that, and if need be within less. Then the budget is none again.
 *
 * @param options `onNotice` is told in a line that memory ran out
 * @throws {BufferLimitError} if the adapter's limits do not allow a buffer, which no budget changes
 * @throws {OutOfMemoryError} if memory ran out within the budget that there was
 * @throws {InputError} if what there is is less than what would do
 */
export async function withinLess<T>(
  gpu: Gpu,
  work: () => Promise<T>,
  { onNotice }: { onNotice: (line: string) => void },
): Promise<T> {
  const { budget } = gpu.buffers;
  try {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const isForLess = error instanceof OutOfMemoryError && !(error instanceof BufferLimitError);
        if (error instanceof OverBudgetError && budget === Infinity) throw error.ofWholeGpu();
        if (!isForLess || budget < Infinity) throw error;
        gpu.buffers.budget = await smallerBudget(gpu);
        onNotice(ranOutNotice(gpu.buffers.budget));
      }
    }
  } finally {
    gpu.buffers.budget = budget;
  }
}

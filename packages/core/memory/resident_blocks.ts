import { OutOfMemoryError } from "@fluxsr/kernels";

/**
 * The attempt in which the most blocks stay on the GPU, from the first on, among those that fit a budget; undefined: none
 * does.
 *
 * @param attempt what comes of it if so many stay; throws {@linkcode OutOfMemoryError} if it does not fit
 * @param options `sizes` of all blocks in bytes; `room`, the bytes of the budget that are left where none stays
 */
export async function withMostBlocks<T>(
  attempt: (resident: number) => Promise<T>,
  { sizes, room }: { sizes: readonly number[]; room: number },
): Promise<T | undefined> {
  const largest = (some: readonly number[]) => Math.max(0, ...some);
  // At least: one block at a time is there too, and where the large ones stay that is a smaller one, or none.
  const needed = (resident: number) =>
    sizes.slice(0, resident).reduce((sum, bytes) => sum + bytes, 0) + largest(sizes.slice(resident)) - largest(sizes);
  for (let resident = sizes.length; resident >= 0; resident--) {
    if (needed(resident) > room) continue;
    try {
      return await attempt(resident);
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
  return undefined;
}

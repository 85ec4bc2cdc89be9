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
  let left = room;
  const first = sizes.findIndex((bytes) => (left -= bytes) < 0);
  // Two more may have room: where the last blocks stay too there is none that is loaded in its turn.
  for (let resident = first < 0 ? sizes.length : first + 2; resident >= 0; resident--) {
    try {
      return await attempt(resident);
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
  return undefined;
}

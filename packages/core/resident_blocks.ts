import { OutOfMemoryError } from "@fluxsr/kernels";

/** Options of {@linkcode mostResident}. */
export interface ResidentOptions<T> {
  /** Bytes of each block. */
  readonly blockBytes: readonly number[];
  /** Bytes of the budget beside the work with one block at a time. */
  readonly room: number;
  /** Runs the work with so many blocks that stay. @throws {OutOfMemoryError} if it does not fit the budget */
  readonly attempt: (residentBlocks: number) => Promise<T>;
}

/** The work with the most blocks that stay within a budget; undefined if it does not even fit without any. */
export async function mostResident<T>({ blockBytes, room, attempt }: ResidentOptions<T>): Promise<T | undefined> {
  let left = room;
  const first = blockBytes.findIndex((bytes) => (left -= bytes) < 0);
  // Two more may have room: where the last blocks stay too there is none that is loaded in its turn.
  for (let resident = first < 0 ? blockBytes.length : first + 2; resident >= 0; resident--) {
    try {
      return await attempt(resident);
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
    }
  }
  return undefined;
}

/** The smallest chunk that is worth a workgroup, and the most chunks of one tensor. */
const CHUNK = 16384;
const CHUNKS = 1024;

/** The chunks that `size` elements are summed in: of the size alone, so that the sums are the same bits every time. */
export function chunksOf(size: number): number {
  return Math.min(CHUNKS, Math.ceil(size / CHUNK));
}

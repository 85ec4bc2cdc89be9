import type { MadePair, PairMaker } from "./pair.ts";

/** How pairs are made at once. */
export interface Grouping {
  /** Pairs of a group, which are computed together. */
  readonly size: number;
  /** Groups that are made side by side. */
  readonly together: number;
  /** Pairs in all: beyond it no group is made beside another. */
  readonly end: number;
}

/**
 * Makes pairs `size` at a time, which keeps a large GPU busy: those of numbers `k size`, `k size + 1`, ... together. A
 * group is always made as a whole, since sums may be ordered by how much is computed at once: so a pair has the same
 * bits whichever is asked for first. The groups that follow are made beside it, each as if it were alone.
 *
 * @param make the pairs of all numbers of these groups, in their order
 */
export function inGroups(
  { size, together, end }: Grouping,
  make: (groups: readonly (readonly number[])[], signal?: AbortSignal) => Promise<readonly MadePair[]>,
): PairMaker {
  let made = new Map<number, MadePair>();
  return {
    make: async (i, signal) => {
      const ready = made.get(i);
      if (ready) return ready;
      const groups: number[][] = [];
      for (let first = i - i % size; groups.length === 0 || groups.length < together && first < end; first += size) {
        groups.push(Array.from({ length: size }, (_, k) => first + k));
      }
      const pairs = await make(groups, signal);
      made = new Map(groups.flat().map((number, k) => [number, pairs[k]!]));
      return made.get(i)!;
    },
  };
}

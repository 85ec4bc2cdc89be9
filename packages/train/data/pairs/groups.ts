import type { MadePair, PairMaker } from "./pair.ts";

/**
 * Makes pairs `size` at a time, which keeps a large GPU busy: those of numbers `k size`, `k size + 1`, ... together. A
 * group is always made as a whole, since sums may be ordered by how much is computed at once: so a pair has the same
 * bits whichever is asked for first.
 *
 * @param make the pairs of these numbers
 */
export function inGroups(size: number, make: (numbers: readonly number[]) => Promise<readonly MadePair[]>): PairMaker {
  let last: { readonly first: number; readonly pairs: readonly MadePair[] } | undefined;
  return {
    make: async (i) => {
      const first = i - i % size;
      if (last?.first !== first) {
        last = { first, pairs: await make(Array.from({ length: size }, (_, k) => first + k)) };
      }
      return last.pairs[i - first]!;
    },
  };
}

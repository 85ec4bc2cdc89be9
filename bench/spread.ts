/**
 * Places for labels that would stand at `wanted` (in any order) in [0, end]: at least `gap` apart, in the same order, moved
 * no further than it takes.
 */
export function spread(wanted: readonly number[], { gap, end }: { gap: number; end: number }): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const places = [...wanted];
  let free = -Infinity;
  for (const i of order) {
    places[i] = Math.max(places[i]!, free);
    free = places[i]! + gap;
  }
  let last = end;
  for (const i of order.toReversed()) {
    places[i] = Math.min(places[i]!, last);
    last = places[i]! - gap;
  }
  return places;
}

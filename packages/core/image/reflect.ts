/**
 * The index in 0..n-1 that mirrors `i` at the borders without repeating the edge (numpy's "reflect").
 *
 * @param i Any integer, e.g. -1 gives 1 and n gives n-2
 * @param n Length, at least 1; a length of 1 always gives 0
 */
export function reflectIndex(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const phase = ((i % period) + period) % period;
  return Math.min(phase, period - phase);
}

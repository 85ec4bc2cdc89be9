/**
 * The sizes of the fewest parts of `count` things, `bytesEach` for each, that take at most `largest` bytes a part; they
 * differ by one at most. A part has one thing even if that takes more.
 */
export function evenParts(
  count: number,
  { bytesEach, largest }: { bytesEach: number; largest: number },
): number[] {
  const most = Math.max(1, Math.floor(largest / bytesEach));
  const parts = Math.max(1, Math.ceil(count / most));
  return Array.from({ length: parts }, (_, i) => Math.floor((i + 1) * count / parts) - Math.floor(i * count / parts));
}

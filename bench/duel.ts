import { quantile } from "./measure.ts";

/**
 * Times two ways in turns, so that both have their share of what else the machine does; `first` and `second` return
 * milliseconds. The ratio of the second to the first that at most a quarter of the rounds is above.
 */
export async function duel(
  { first, second, rounds = 5 }: { first: () => Promise<number>; second: () => Promise<number>; rounds?: number },
): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const base = await first();
    ratios.push(await second() / base);
  }
  return quantile(ratios, 0.75);
}

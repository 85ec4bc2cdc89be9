import crc32 from "crc-32";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Random numbers of one stream, in a fixed order. */
export interface Random {
  /** In [0, 1), or in [low, high). */
  uniform(low?: number, high?: number): number;
  /** An integer in [0, count). */
  integer(count: number): number;
  /** Standard normal. */
  normal(): number;
  /** An index with probability proportional to its weight. */
  choice(weights: readonly number[]): number;
  /** A seed for a generator on the GPU, in [0, 2^32). */
  seed(): number;
}

/**
 * The random numbers of one purpose, e.g. `randomOf(seed, "degradation", step, sample)`.
 *
 * Every draw of a run is named by what it is for instead of by how many came before, so that a run that is resumed needs
 * no generator's state to go on exactly as one that was never stopped.
 */
export function randomOf(seed: number, ...purpose: readonly (string | number)[]): Random {
  const generator = xoroshiro128plus(crc32.str([seed, ...purpose].join("/")));
  const unit = () => uniformFloat64(generator);
  const uniform = (low = 0, high = 1) => low + (high - low) * unit();
  const integer = (count: number) => Math.floor(unit() * count);
  return {
    uniform,
    integer,
    // Box-Muller: two uniform numbers give a normal one.
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    choice: (weights) => {
      let left = uniform(0, weights.reduce((sum, weight) => sum + weight, 0));
      const found = weights.findIndex((weight) => (left -= weight) < 0);
      return found < 0 ? weights.length - 1 : found;
    },
    seed: () => integer(2 ** 32),
  };
}

/** The numbers 0 to count - 1 in random order. */
export function shuffled(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const k = random.integer(i + 1);
    [order[i], order[k]] = [order[k]!, order[i]!];
  }
  return order;
}

import { randomOf, shuffled } from "../random.ts";

/** Sample number `draw` of a run over `count` samples: every epoch has all of them, in a random order of its own. */
export function sampleOrder(draw: number, { count, seed }: { count: number; seed: number }): number {
  const order = shuffled(count, randomOf(seed, "order", Math.floor(draw / count)));
  return order[draw % count]!;
}

import type { Row } from "../case.ts";

/** What an optimiser goes over, as one tensor. */
export const WEIGHTS: readonly Row<{ readonly count: number }>[] = [
  { name: "starter", origin: "starter model: all of a LoRA of rank 64", count: 1474560 },
  { name: "flux.linear1", origin: "FLUX.1-dev: a whole linear1", count: 3072 * 21504, scaled: { count: 2 ** 22 } },
];

import type { Plan } from "@fluxsr/train";
import { expect, test } from "vitest";
import { planText } from "../../../packages/cli/train/_plan_text.ts";

/** A plan of a model of ten blocks of 1 GB. */
function fake({ recompute = true, resident = 10 } = {}): Plan {
  const streamed = (10 - resident) * 1e9;
  return {
    loadedBytes: 2e9 + resident * 1e9,
    optimiserBytes: 3e8,
    usedBytes: (recompute ? 5e9 : 50e9) + resident * 1e9,
    peakBytes: (recompute ? 6e9 : 60e9) + resident * 1e9,
    trained: 1234567,
    flopsPerStep: recompute ? 4e12 : 3e12,
    dispatchesPerStep: recompute ? 400 : 300,
    recompute,
    blocks: { sizes: Array(10).fill(1e9), resident, loadedPerStep: 4 * streamed, loadedPerLoggedStep: 6 * streamed },
  };
}

test("planText() compares keeping and recomputing, and says what fits on which card", () => {
  const cards = [
    { bytes: 8e9, flag: "--max-vram 7.2GB", plan: fake({ resident: 0 }), fits: false },
    { bytes: 12e9, flag: "--max-vram 10.8GB", plan: fake({ resident: 5 }), fits: true },
    { bytes: 24e9, flag: "--checkpointing", plan: fake(), fits: true },
    { bytes: 80e9, flag: "--no-checkpointing", plan: fake({ recompute: false }), fits: true },
  ];
  expect(planText({ plan: fake({ recompute: false }), other: fake(), cards })).toBe(`\
trained values        1,234,567
networks and weights  12 GB
optimiser             300 MB
peak during a step    70 GB (with --checkpointing: 16 GB)
work of a step        3 TFLOP in 300 dispatches (with --checkpointing: 4 TFLOP in 400 dispatches)

What a step takes on which card
  a card of 8 GB   --max-vram 7.2GB    too small: 5 GB in use with one block at a time
  a card of 12 GB  --max-vram 10.8GB   10 GB in use; 5 of 10 blocks stay, 20 GB are loaded in a step, 30 GB in a logged one
  a card of 24 GB  --checkpointing     15 GB in use; all 10 blocks stay
  a card of 80 GB  --no-checkpointing  60 GB in use; all 10 blocks stay
`);
});

test("planText() says where the blocks are within a budget", () => {
  expect(planText({ plan: fake({ resident: 0 }), other: undefined, cards: [] })).toBe(`\
trained values        1,234,567
networks and weights  2 GB
optimiser             300 MB
peak during a step    6 GB
work of a step        4 TFLOP in 400 dispatches
blocks                0 of 10 blocks stay, 40 GB are loaded in a step, 60 GB in a logged one
`);
});

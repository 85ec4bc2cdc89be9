import { byteSize } from "@fluxsr/core";
import type { BlocksPlan, Plan } from "@fluxsr/train";
import { table } from "../_plan_table.ts";

/** A card that a run is tried on. */
export interface CardStep {
  /** Its memory. */
  readonly bytes: number;
  /** What makes the run fit, as a flag. */
  readonly flag: string;
  readonly plan: Plan;
  /** If not, `plan` has one block at a time. */
  readonly fits: boolean;
}

/** What is printed of a run. */
export interface PlannedRun {
  readonly plan: Plan;
  /** The same run with blocks recomputed if `plan` keeps what they compute, and vice versa; undefined within a budget. */
  readonly other: Plan | undefined;
  readonly cards: readonly CardStep[];
}

/** A plan, and what a step takes on which card, as text. */
export function planText({ plan, other, cards }: PlannedRun): string {
  const flag = plan.recompute ? "--no-checkpointing" : "--checkpointing";
  const compared = (text: (plan: Plan) => string) => text(plan) + (other ? ` (with ${flag}: ${text(other)})` : "");
  const rows = [
    ["trained values", plan.trained.toLocaleString("en")],
    ["networks and weights", byteSize(plan.loadedBytes)],
    ["optimiser", byteSize(plan.optimiserBytes)],
    ["peak during a step", compared(({ peakBytes }) => byteSize(peakBytes))],
    ["work of a step", compared(work)],
  ];
  if (plan.blocks && !other) rows.push(["blocks", ofBlocks(plan.blocks)]);
  const lines = table(rows);
  if (cards.length > 0) lines.push("", "What a step takes on which card", ...table(cards.map(cardRow)));
  return `${lines.join("\n")}\n`;
}

function work({ flopsPerStep, dispatchesPerStep }: Plan): string {
  const [unit, name] = flopsPerStep < 1e12 ? [1e9, "GFLOP"] as const : [1e12, "TFLOP"] as const;
  return `${Number((flopsPerStep / unit).toPrecision(3))} ${name} in ${dispatchesPerStep} dispatches`;
}

function cardRow({ bytes, flag, plan: { usedBytes, blocks }, fits }: CardStep): string[] {
  const used = `${byteSize(usedBytes)} in use`;
  const what = !fits ? `too small: ${used} with one block at a time` : blocks ? `${used}; ${ofBlocks(blocks)}` : used;
  return [`  a card of ${bytes / 1e9} GB`, flag, what];
}

/** `18 of 57 blocks stay, 9.39 GB are loaded in a step, 14.1 GB in a logged one`: there each term has its own backward pass. */
export function ofBlocks({ sizes, resident, loadedPerStep, loadedPerLoggedStep }: BlocksPlan): string {
  if (resident === sizes.length) return `all ${resident} blocks stay`;
  return `${resident} of ${sizes.length} blocks stay, ${byteSize(loadedPerStep)} are loaded in a step, ` +
    `${byteSize(loadedPerLoggedStep)} in a logged one`;
}

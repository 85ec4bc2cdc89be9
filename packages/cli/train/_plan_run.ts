import { byteSize, parseByteSize } from "@fluxsr/core";
import { DryGpu, type Gpu } from "@fluxsr/kernels";
import { type Batch, BudgetPlanner, type OpenStage, type Plan, plan, type RunConfig } from "@fluxsr/train";
import { type CardStep, ofBlocks, type PlannedRun } from "./_plan_text.ts";

/** Memory of cards that such models are trained on. */
const CARDS: readonly number[] = [24e9, 48e9, 80e9, 141e9];

/** The share of a card that is planned with. */
const SHARE = 0.9;

/**
 * Plans a run as it is configured, the other way, and if it has frozen blocks on cards from the smallest to the first that
 * holds all.
 *
 * @throws {InputError} if a step does not fit within `max_vram`
 */
export async function planRun<B extends Batch>(open: OpenStage<B>, config: RunConfig): Promise<PlannedRun> {
  const kept = await plan(open, { ...config, checkpointing: false });
  const recomputed = await plan(open, { ...config, checkpointing: true });
  const planner = new BudgetPlanner(open, config);
  const cards = kept.blocks ? await planCards(planner, { kept, recomputed }) : [];
  const budget = budgetOf(config);
  if (budget !== undefined) return { plan: await planner.within(budget), other: undefined, cards };
  const [own, other] = config.checkpointing ? [recomputed, kept] : [kept, recomputed];
  return { plan: own, other, cards };
}

/** For each card what a step takes in the way that computes least: keeping, recomputing, and with as many blocks as fit. */
async function planCards<B extends Batch>(
  planner: BudgetPlanner<B>,
  { kept, recomputed }: { kept: Plan; recomputed: Plan },
): Promise<CardStep[]> {
  const cards: CardStep[] = [];
  for (const bytes of CARDS) {
    const budget = SHARE * bytes;
    if (kept.peakBytes <= budget) return [...cards, { bytes, flag: "--no-checkpointing", plan: kept, fits: true }];
    if (recomputed.peakBytes <= budget) cards.push({ bytes, flag: "--checkpointing", plan: recomputed, fits: true });
    else {
      const least = await planner.least();
      const fits = least.usedBytes <= budget;
      const flag = `--max-vram ${byteSize(budget).replace(" ", "")}`;
      cards.push({ bytes, flag, plan: fits ? await planner.within(budget) : least, fits });
    }
  }
  return cards;
}

/**
 * Limits `gpu` to the budget of the run, if it has one, and says to how many blocks that comes.
 *
 * @returns how many frozen blocks stay; undefined: all
 * @throws {InputError} if a step does not fit
 */
export async function keepWithin<B extends Batch>(
  gpu: Gpu,
  { open, config, say }: { open: OpenStage<B>; config: RunConfig; say: (line: string) => void },
): Promise<number | undefined> {
  const budget = budgetOf(config);
  if (budget === undefined) return undefined;
  const { blocks } = await new BudgetPlanner(open, config, { dryGpu: () => DryGpu.like(gpu) }).within(budget);
  gpu.buffers.budget = budget;
  if (blocks) say(`Within ${byteSize(budget)}: ${ofBlocks(blocks)}`);
  return blocks?.resident;
}

function budgetOf({ max_vram }: RunConfig): number | undefined {
  return max_vram === undefined ? undefined : parseByteSize(max_vram);
}

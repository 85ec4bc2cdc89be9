import { InputError, type PlanOptions, type planUpscale, type UpscalePlan } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import type { CardPlan } from "./_plan_table.ts";

/** Memory of usual cards. */
const CARDS: readonly number[] = [8e9, 12e9, 16e9, 24e9, 48e9, 80e9];

/** The share of a card that is planned with. */
const SHARE = 0.9;

/** Plans an upscale on cards from the smallest to the first that holds all. */
export async function planCards(
  gpu: Gpu,
  { options, plan: planOn, whole }: { options: PlanOptions; plan: typeof planUpscale; whole: UpscalePlan },
): Promise<CardPlan[]> {
  const cards: CardPlan[] = [];
  for (const bytes of CARDS) {
    const budget = SHARE * bytes;
    const plan = await planOn(gpu, { ...options, budget }).catch((error) => {
      if (error instanceof InputError) return undefined;
      throw error;
    });
    cards.push({ bytes, budget, plan });
    if (plan?.blocks.streamedBytes === 0 && plan.tileSide === whole.tileSide) break;
  }
  return cards;
}

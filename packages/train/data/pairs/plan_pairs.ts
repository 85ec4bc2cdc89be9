import { BUNDLED_MODEL, openTextFolder, planTexts, type TextPlan } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import type { PairsConfig } from "../../config/pairs_config.ts";
import { checkTextWidths } from "./encode_prompts.ts";
import { planTeacher, type TeacherPlan } from "./plan_teacher.ts";
import { readPromptTexts } from "./prompt_texts.ts";

/** What making pairs takes. */
export interface PairsPlan {
  /** Of the text encoders, which are freed before the teacher is loaded; undefined if there is no text to encode. */
  readonly texts: TextPlan | undefined;
  readonly teacher: TeacherPlan;
}

/**
 * Plans the pairs of `config` on `gpu` without allocating, loading or writing anything: the same code runs on a GPU that
 * only counts.
 *
 * @param options `budget`: the most bytes that the GPU may hold; left out, as many as it takes
 * @throws {InputError} if the model or the prompts cannot be used, or do not fit the budget
 */
export async function planPairs(
  gpu: Gpu,
  config: PairsConfig,
  { budget }: { budget?: number | undefined } = {},
): Promise<PairsPlan> {
  const texts = await textsPlan(gpu, config, budget);
  return { texts, teacher: await planTeacher(gpu, config, { budget }) };
}

async function textsPlan(
  gpu: Gpu,
  { prompts, prompt_tokens: max, model = BUNDLED_MODEL }: PairsConfig,
  budget: number | undefined,
): Promise<TextPlan | undefined> {
  if (prompts === undefined || prompts.endsWith(".safetensors")) return undefined;
  const texts = (await readPromptTexts(prompts)).length;
  using folder = await openTextFolder(model);
  await checkTextWidths(model, folder);
  return await planTexts(gpu, { folder, texts, max, budget });
}

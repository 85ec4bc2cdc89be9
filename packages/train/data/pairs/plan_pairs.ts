import {
  BUNDLED_MODEL,
  InputError,
  loadModel,
  type Model,
  openSafetensors,
  openTextFolder,
  planTexts,
  type TextPlan,
} from "@fluxsr/core";
import { DryGpu, type Gpu } from "@fluxsr/kernels";
import type { PairsConfig } from "../../config/pairs_config.ts";
import { invertedPairs } from "./inverted_pairs.ts";
import { readPromptTexts } from "./prompt_texts.ts";
import { Teacher } from "./teacher.ts";
import { teacherPairs } from "./teacher_pairs.ts";

/** What making pairs takes. Bytes are those of GPU buffers as the pool hands them out. */
export interface PairsPlan {
  /** Of the text encoders, which are freed before the teacher is loaded; undefined if there is no text to encode. */
  readonly texts: TextPlan | undefined;
  readonly teacher: {
    readonly loadedBytes: number;
    /** The most in use at a time. */
    readonly usedBytes: number;
    /** The most reserved at a time: what is kept for reuse counts too. */
    readonly peakBytes: number;
  };
}

/** More steps take no more memory. */
const STEPS = 2;

/**
 * Plans the pairs of `config` on `gpu` without allocating, loading or writing anything: the same code runs on a GPU that
 * only counts. Of the text encoders blocks may be loaded in their turn, the teacher is loaded whole.
 *
 * @param options `budget`: the most bytes that the GPU may hold; left out, as many as it takes
 * @throws {InputError} if the model or the prompts cannot be used, or do not fit the budget
 */
export async function planPairs(
  gpu: Gpu,
  config: PairsConfig,
  { budget = Infinity }: { budget?: number | undefined } = {},
): Promise<PairsPlan> {
  const texts = await textsPlan(gpu, config, budget);
  const whole = await dryRun(gpu, config);
  if (whole.usedBytes > budget) {
    throw new InputError(
      `Cannot make pairs within ${budget} bytes of GPU memory: with the whole teacher ${whole.usedBytes} are in use`,
      { hint: "raise --max-vram, or use a smaller --size or --batch-size" },
    );
  }
  return { texts, teacher: whole.peakBytes <= budget ? whole : await dryRun(gpu, config, budget) };
}

async function textsPlan(
  gpu: Gpu,
  { prompts, prompt_tokens: max, model = BUNDLED_MODEL }: PairsConfig,
  budget: number,
): Promise<TextPlan | undefined> {
  if (prompts === undefined || prompts.endsWith(".safetensors")) return undefined;
  const texts = (await readPromptTexts(prompts)).length;
  using folder = await openTextFolder(model);
  return await planTexts(gpu, { folder, texts, max, budget });
}

/** Makes the first pairs on a GPU that only counts. */
async function dryRun(gpu: Gpu, config: PairsConfig, budget = Infinity): Promise<PairsPlan["teacher"]> {
  const { model: directory = BUNDLED_MODEL, precision, size, from_images } = config;
  using dry = DryGpu.like(gpu);
  dry.buffers.budget = budget;
  using model = await loadModel(dry, directory, { lora: false, precision });
  const loadedBytes = dry.memory.live;
  const teacher = Teacher.blank(model, { ...config, steps: STEPS }, { tokens: await tokensOf(config, model) });
  const blank = { width: size, height: size, rgb: new Uint8Array(size * size * 3) };
  const maker = from_images === undefined
    ? teacherPairs(teacher)
    : invertedPairs(teacher, () => Promise.resolve(blank));
  await maker.make(0);
  return { loadedBytes, usedBytes: dry.memory.livePeak, peakBytes: dry.memory.peak };
}

/** Tokens of a prompt. */
async function tokensOf({ prompts, prompt_tokens }: PairsConfig, { conditioning }: Model): Promise<number> {
  if (prompts === undefined) return conditioning.txt.shape[1] ?? 0;
  if (!prompts.endsWith(".safetensors")) return prompt_tokens;
  using file = await openSafetensors(prompts);
  return file.tensors.get("txt")?.shape.at(-2) ?? 1;
}

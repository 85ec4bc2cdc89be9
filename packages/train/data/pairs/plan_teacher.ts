import {
  BUNDLED_MODEL,
  loadModel,
  type Model,
  OverBudgetError,
  type PlannedBlocks,
  withMostBlocks,
} from "@fluxsr/core";
import { DryGpu, type Gpu } from "@fluxsr/kernels";
import type { PairsConfig } from "../../config/pairs_config.ts";
import { invertedPairs } from "./inverted_pairs.ts";
import { promptSizes } from "./prompts.ts";
import { Teacher } from "./teacher.ts";
import { teacherPairs } from "./teacher_pairs.ts";

/** What the teacher takes to make pairs. Bytes are those of GPU buffers as the pool hands them out. */
export interface TeacherPlan {
  readonly loadedBytes: number;
  /** The most in use at a time. */
  readonly usedBytes: number;
  /** The most reserved at a time: what is kept for reuse counts too. */
  readonly peakBytes: number;
  /** Of the transformer: those that do not stay are loaded for each velocity. */
  readonly blocks: PlannedBlocks;
  /** Groups of `batch_size` pairs that are made side by side: a block is loaded once for all of them. */
  readonly together: number;
  /** Bytes of the blocks that are loaded in their turn, over all velocities, that fall to a pair. */
  readonly loadedPerPair: number;
}

/** More steps take no more memory. */
const STEPS = 2;

/**
 * The most groups that are made side by side where blocks are loaded for each velocity: so many times less is read for a pair;
 * more would leave more unfinished pairs behind where the work is interrupted.
 */
const TOGETHER = 4;

/** What is tried; all blocks stay unless `residentBlocks` says how many. */
interface Attempt {
  readonly residentBlocks?: number;
  readonly together?: number;
  readonly budget?: number;
}

/** A plan that was tried, and the bytes of each block. */
type Tried = TeacherPlan & { readonly blockBytes: readonly number[] };

/**
 * Plans the teacher's work on `gpu` without allocating, loading or writing anything: the same code runs on a GPU that only
 * counts. Within a budget as many groups of pairs as have room are made side by side, up to 4, and as many blocks as have
 * room beside them stay.
 *
 * @param options `budget`: the most bytes that the GPU may hold; left out, as many as it takes
 * @throws {OverBudgetError} if one block at a time does not fit the budget
 * @throws {InputError} if the model or the prompts cannot be used
 */
export async function planTeacher(
  gpu: Gpu,
  config: PairsConfig,
  { budget = Infinity }: { budget?: number | undefined } = {},
): Promise<TeacherPlan> {
  const attempt = (each: Attempt) => dryRun(gpu, config, each);
  const whole = await attempt({});
  if (whole.usedBytes <= budget) return whole.peakBytes <= budget ? whole : await attempt({ budget });
  let together = Math.min(TOGETHER, Math.ceil(config.count / config.batch_size));
  let none = await attempt({ residentBlocks: 0, together });
  while (none.usedBytes > budget && together > 1) {
    none = await attempt({ residentBlocks: 0, together: together = Math.ceil(together / 2) });
  }
  const room = budget - none.usedBytes;
  const within = (residentBlocks: number) => attempt({ residentBlocks, together, budget });
  const fitted = room >= 0 ? await withMostBlocks(within, { sizes: whole.blockBytes, room }) : undefined;
  if (fitted) return fitted;
  throw new OverBudgetError(
    `Cannot make pairs within ${budget} bytes of GPU memory: with one block of the teacher at a time ` +
      `${none.usedBytes} are in use`,
    { neededBytes: none.usedBytes, instead: "use a smaller --size or --batch-size" },
  );
}

/** Makes the first pairs on a GPU that only counts. @throws {OutOfMemoryError} if that does not fit the budget */
async function dryRun(
  gpu: Gpu,
  config: PairsConfig,
  { residentBlocks, together = 1, budget = Infinity }: Attempt,
): Promise<Tried> {
  const { model: directory = BUNDLED_MODEL, precision, size, steps, batch_size, from_images } = config;
  using dry = DryGpu.like(gpu);
  dry.buffers.budget = budget;
  using model = await loadModel(dry, directory, { lora: false, precision, residentBlocks });
  const loadedBytes = dry.memory.live;
  const options = { ...config, steps: STEPS, together };
  const teacher = Teacher.blank(model, options, { tokens: await tokensOf(config, model) });
  const blank = { width: size, height: size, rgb: new Uint8Array(size * size * 3) };
  const maker = from_images === undefined
    ? teacherPairs(teacher)
    : invertedPairs(teacher, () => Promise.resolve(blank));
  await maker.make(0);
  const { blocks } = model;
  return {
    loadedBytes,
    usedBytes: dry.memory.livePeak,
    peakBytes: dry.memory.peak,
    blocks: blocks.planned,
    blockBytes: blocks.sizes,
    together,
    loadedPerPair: blocks.loadedBytes * steps / STEPS / (together * batch_size),
  };
}

/** Tokens of a prompt. @throws {InputError} if a file of embeddings does not fit the model */
async function tokensOf({ prompts, prompt_tokens }: PairsConfig, { conditioning, config }: Model): Promise<number> {
  if (prompts === undefined) return conditioning.txt.shape[1] ?? 0;
  if (!prompts.endsWith(".safetensors")) return prompt_tokens;
  return (await promptSizes(prompts, config.transformer)).tokens;
}

import { DryGpu, type Gpu } from "@fluxsr/kernels";
import type { PlannedBlocks } from "../memory/block_stream.ts";
import { OverBudgetError } from "../errors.ts";
import { withMostBlocks } from "../memory/resident_blocks.ts";
import { loadClip } from "./load_clip.ts";
import { loadT5 } from "./load_t5.ts";
import { readT5Tables } from "./t5_tables.ts";
import type { LoadedEncoder } from "./text_encoder.ts";
import type { TextFolder } from "./text_folder.ts";

/** What an encoder takes. Bytes are those of GPU buffers as the pool hands them out. */
export interface EncoderPlan {
  /** What stays from text to text. */
  readonly loadedBytes: number;
  /** The most in use at a time. */
  readonly usedBytes: number;
  /** The most reserved at a time: what is kept for reuse counts too. */
  readonly peakBytes: number;
}

/** What encoding texts takes. T5 is freed before CLIP is loaded. */
export interface TextPlan {
  readonly t5: EncoderPlan & {
    readonly blocks: PlannedBlocks;
    /** Texts that are encoded at once. */
    readonly together: number;
  };
  readonly clip: EncoderPlan;
  /** The most reserved at a time. */
  readonly peakBytes: number;
}

/** Options of {@linkcode planTexts}. */
export interface PlanTextsOptions {
  readonly folder: Pick<TextFolder, "clip" | "t5">;
  /** How many there are. */
  readonly texts: number;
  /** Tokens of T5 that each text is filled up to. */
  readonly max: number;
  /** The most bytes that the GPU may hold; left out, as many as it takes. */
  readonly budget?: number | undefined;
}

/** The most texts that pass T5 together where its blocks are loaded for each pass; their states take 8 MiB each in T5-XXL. */
const TOGETHER = 16;

/** As few tokens as a text has; T5's are filled up. */
const BLANK: readonly number[] = [0, 0];

/**
 * Plans the encoding of texts on `gpu` without allocating or loading anything: the same code runs on a GPU that only
 * counts.
 *
 * Within a budget as many texts as have room go through T5 together, up to 16, and as many of its blocks as have room
 * beside that stay; the others are read once for all these texts.
 *
 * @throws {InputError} if the encoders cannot be used
 * @throws {OverBudgetError} if they do not fit the budget
 */
export async function planTexts(
  gpu: Gpu,
  { folder, texts, max, budget = Infinity }: PlanTextsOptions,
): Promise<TextPlan> {
  const t5 = await planT5(gpu, { folder, texts, max, budget });
  const runClip = (within?: number) =>
    dryRun(gpu, { load: (dry) => loadClip(dry, folder.clip), texts: 1, budget: within });
  const clip = await runClip();
  const least = Math.max(typeof t5 === "number" ? t5 : 0, clip.usedBytes);
  if (typeof t5 === "number" || clip.usedBytes > budget) {
    throw new OverBudgetError(
      `Cannot encode texts of ${max} tokens within ${budget} bytes of GPU memory: with one text and one block of T5 at ` +
        `a time ${least} are in use`,
      { neededBytes: least, instead: "encode fewer tokens" },
    );
  }
  const fitted = clip.peakBytes <= budget ? clip : await runClip(budget);
  return { t5, clip: fitted, peakBytes: Math.max(t5.peakBytes, fitted.peakBytes) };
}

/** The plan with the most texts, then the most blocks within the budget, or if there is none the bytes that would be needed. */
async function planT5(
  gpu: Gpu,
  { folder: { t5 }, texts, max: tokens, budget = Infinity }: PlanTextsOptions,
): Promise<TextPlan["t5"] | number> {
  const tables = await readT5Tables(t5, { tokens });
  const all = t5.config.num_layers;
  const run = (residentBlocks: number, together: number, within?: number) =>
    dryRun(gpu, {
      load: (dry) => loadT5(dry, t5, { tokens, tables, residentBlocks }),
      texts: together,
      budget: within,
    });
  const whole = await run(all, 1);
  if (whole.peakBytes <= budget) return { ...whole, blocks: { all, resident: all, streamedBytes: 0 }, together: 1 };
  let together = Math.min(TOGETHER, texts);
  let none = await run(0, together);
  while (none.usedBytes > budget && together > 1) none = await run(0, together = Math.ceil(together / 2));
  if (none.usedBytes > budget) return none.usedBytes;
  const each = (whole.loadedBytes - none.loadedBytes) / all;
  const within = async (resident: number) => ({
    ...await run(resident, together, budget),
    blocks: { all, resident, streamedBytes: (all - resident) * each },
    together,
  });
  const sizes = Array.from({ length: all }, () => each);
  return await withMostBlocks(within, { sizes, room: budget - none.usedBytes }) ?? none.usedBytes;
}

/** Encodes `texts` blank texts on a GPU that only counts. @throws {OutOfMemoryError} if that does not fit the budget */
async function dryRun(
  gpu: Gpu,
  { load, texts, budget = Infinity }: {
    load: (dry: Gpu) => Promise<LoadedEncoder>;
    texts: number;
    budget?: number | undefined;
  },
): Promise<EncoderPlan> {
  using dry = DryGpu.like(gpu);
  dry.buffers.budget = budget;
  using encoder = await load(dry);
  const loadedBytes = dry.memory.live;
  await encoder.encode(Array.from({ length: texts }, () => BLANK));
  const { livePeak: usedBytes, peak: peakBytes } = dry.memory;
  return { loadedBytes, usedBytes, peakBytes };
}

import {
  byteSize,
  hasTextFolder,
  openLora,
  openTextFolder,
  planTexts,
  planUpscale,
  readModelSettings,
  type TextPlan,
  type UpscalePlan,
  type VerifiedModel,
  verifyModel,
} from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { ByteProgress } from "./_byte_progress.ts";
import { UsageError } from "./_errors.ts";
import type { Host } from "./_host.ts";
import { type CardPlan, planText } from "./_plan_table.ts";
import { planCards } from "./_plans.ts";
import { textPlanText } from "./_text_plan_table.ts";

/** A model to look at. */
export interface ModelRequest {
  readonly model?: string;
  readonly lora?: string;
  /** Read all of it. */
  readonly verify?: boolean;
}

/** What came of it. */
export interface ModelExamination {
  /** For a picture that fills a tile. */
  readonly plan?: UpscalePlan;
  readonly cards?: readonly CardPlan[];
  /** Of a text as long as FLUX.1-dev takes; undefined if the model has no text encoders. */
  readonly texts?: TextPlan | undefined;
  readonly verified?: VerifiedModel & {
    readonly seconds: number;
    /** The most memory of the process at a time. */
    readonly hostBytes: number;
  };
}

/** Tokens of T5 for FLUX.1-dev. */
const TOKENS = 512;

/** Checks that there is a model for what is asked of it. @throws {UsageError} if there is none */
export function checkModelGiven({ model, lora, verify = false }: ModelRequest): void {
  const flag = verify ? "--verify" : lora === undefined ? undefined : "--lora";
  if (flag && model === undefined) throw new UsageError(`Cannot use ${flag}: there must be a model: give --model`);
}

/**
 * Plans for a model without loading it, and reads all of it if that is wanted; finds nothing if none is given.
 *
 * @throws {InputError} if it cannot be used
 */
export async function examineModel(
  { model, lora, verify = false }: ModelRequest,
  { host, openGpu }: { host: Host; openGpu: () => Promise<Gpu> },
): Promise<ModelExamination> {
  if (model === undefined) return {};
  using gpu = await openGpu();
  const options = { model, lora: await openLora({ model, lora }), scale: (await readModelSettings(model)).scale };
  const plan = await planUpscale(gpu, options);
  const cards = await planCards(gpu, { options, plan: planUpscale, whole: plan });
  const texts = await planOneText(gpu, model);
  return { plan, cards, texts, ...verify && { verified: await readAll(model, host) } };
}

async function planOneText(gpu: Gpu, model: string): Promise<TextPlan | undefined> {
  if (!await hasTextFolder(model)) return undefined;
  using folder = await openTextFolder(model);
  return await planTexts(gpu, { folder, texts: 1, max: TOKENS });
}

async function readAll(model: string, host: Host): Promise<NonNullable<ModelExamination["verified"]>> {
  const start = host.now();
  let hostBytes = 0, progress: ByteProgress | undefined, told = 0;
  const read = await verifyModel(model, {
    onProgress: (bytes, total) => {
      progress ??= new ByteProgress(host, { total });
      progress.add(bytes - told);
      told = bytes;
      hostBytes = Math.max(hostBytes, Deno.memoryUsage().rss);
    },
  });
  progress?.done(model);
  return { ...read, seconds: (host.now() - start) / 1000, hostBytes };
}

/** The same for people; nothing if there is none. */
export function inWords({ plan, cards, texts, verified }: ModelExamination): string {
  if (!plan) return "";
  const text = `\n${planText(plan, cards)}${texts ? `\n${textPlanText(texts)}` : ""}`;
  if (!verified) return text;
  const { tensors, bytes, files, checksums, seconds, hostBytes } = verified;
  const rate = (bytes / 1e9 / seconds).toFixed(2);
  const known = `The download's SHA-256 is known of ${checksums} of ${files} files${
    checksums > 0 ? ": they have it" : ""
  }`;
  return `${text}\nAll ${tensors} tensors are whole and finite: ${byteSize(bytes)} read in ${seconds.toFixed(1)} s, ` +
    `${rate} GB/s, with at most ${byteSize(hostBytes)} of host memory\n${known}\n`;
}

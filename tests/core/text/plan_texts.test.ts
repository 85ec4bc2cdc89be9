import { openGpu, OutOfMemoryError } from "@fluxsr/kernels";
import { join } from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { InputError } from "../../../packages/core/errors.ts";
import { planTexts, type TextPlan } from "../../../packages/core/text/plan_texts.ts";
import { openTextFolder, type TextFolder } from "../../../packages/core/text/text_folder.ts";
import { writeEmbeddings } from "../../../packages/core/text/write_embeddings.ts";
import { gpu } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { withDeepT5 } from "./_deep_t5.ts";

const BLOCKS = 8, MAX = 32;
const TEXTS = ["a red fox", "ships", "", "a butterfly", "a fox in the snow"];

let folder: TextFolder;

beforeAll(async () => {
  folder = await openTextFolder(await withDeepT5(temporaryFolder(), { blocks: BLOCKS }));
});

/** The file of the texts, made on a GPU of its own, and the most that was reserved of it. */
async function encoded(texts: readonly string[], budget = Infinity) {
  using own = await openGpu();
  own.buffers.budget = budget;
  const path = join(temporaryFolder(), "text.safetensors");
  const tokens = texts.map((text) => folder.tokenize(text, { max: MAX }));
  const steps: number[] = [];
  const onProgress = (done: number) => void steps.push(done);
  await writeEmbeddings(path, { gpu: own, folder, texts: tokens, max: MAX, dtype: "F32", onProgress });
  return { bytes: await Deno.readFile(path), steps, memory: own.memory };
}

function plan(texts: number, budget?: number): Promise<TextPlan> {
  return planTexts(gpu, { folder, texts, max: MAX, budget });
}

test("the peak is predicted within a tenth, and nothing is allocated", async () => {
  const before = gpu.memory.reserved;
  const whole = await plan(1);
  expect(gpu.memory.reserved).toBe(before);
  expect(whole.t5).toMatchObject({ blocks: { all: BLOCKS, resident: BLOCKS, streamedBytes: 0 }, together: 1 });
  const { memory } = await encoded(TEXTS.slice(0, 1));
  expect(Math.abs(whole.peakBytes / memory.peak - 1)).toBeLessThan(0.1);
  expect(memory.reserved).toBe(0);
});

test("within a budget texts go together and some blocks stay; the file is the same to the bit", async () => {
  const whole = await plan(TEXTS.length);
  const all = await encoded(TEXTS);
  const fits: TextPlan["t5"][] = [];
  for (const share of [0.95, 0.7, 0.5]) {
    const budget = Math.round(share * whole.t5.usedBytes);
    const { t5, peakBytes } = await plan(TEXTS.length, budget);
    const { bytes, steps, memory } = await encoded(TEXTS, budget);
    expect(memory.peak).toBeLessThanOrEqual(budget);
    expect(Math.abs(peakBytes / memory.peak - 1)).toBeLessThan(0.1);
    expect(bytes).toEqual(all.bytes);
    expect(steps).toEqual(all.steps);
    fits.push(t5);
  }
  const [most, fewer, fewest] = fits;
  expect([most?.together, fewer?.together]).toEqual([TEXTS.length, TEXTS.length]);
  expect(fewest?.together).toBeLessThan(TEXTS.length);
  expect(most?.blocks.resident).toBeLessThan(BLOCKS);
  expect(fewer?.blocks.resident).toBeLessThan(most!.blocks.resident);
});

test("without a budget, memory that runs out is gone on with: the file is the same, and the budget is none again", async () => {
  const { bytes: expected, memory: { peak } } = await encoded(TEXTS);
  using own = await openGpu();
  const acquire = own.buffers.acquire.bind(own.buffers);
  vi.spyOn(own.buffers, "acquire").mockImplementation((bytes) => {
    if (own.memory.live + bytes > 0.8 * peak) throw new OutOfMemoryError("no room");
    return acquire(bytes);
  });
  const path = join(temporaryFolder(), "text.safetensors");
  const texts = TEXTS.map((text) => folder.tokenize(text, { max: MAX }));
  const notices: string[] = [];
  const onNotice = (line: string) => void notices.push(line);
  await writeEmbeddings(path, { gpu: own, folder, texts, max: MAX, dtype: "F32", onNotice });
  expect(notices.at(-1)).toMatch(/^The GPU ran out of memory: going on within [\d.]+ [KM]B, as with --max-vram$/);
  expect(await Deno.readFile(path)).toEqual(expected);
  expect(own.buffers.budget).toBe(Infinity);
});

test("the least is one text and one block at a time; less is refused with what would do", async () => {
  const error = await plan(TEXTS.length, 1000).catch((error) => error);
  expect(error).toBeInstanceOf(InputError);
  const [, least] = /^Cannot encode texts of 32 tokens within 1000 bytes of GPU memory: .* (\d+) are in use$/
    .exec(error.message)!;
  expect(error.hint).toMatch(/^raise --max-vram to \d+MB or more, or encode fewer tokens$/);
  await expect(plan(TEXTS.length, Number(least) - 1)).rejects.toThrow(`${least} are in use`);
  const { t5 } = await plan(TEXTS.length, Number(least));
  expect([t5.blocks.resident, t5.together]).toEqual([0, 1]);
  const { bytes, memory } = await encoded(TEXTS, Number(least));
  expect(memory.peak).toBeLessThanOrEqual(Number(least));
  expect(bytes).toEqual((await encoded(TEXTS)).bytes);
});

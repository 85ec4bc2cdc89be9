import { openGpu } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { type PairsConfig, pairsConfig } from "../../../../packages/train/config/pairs_config.ts";
import { encodePrompts } from "../../../../packages/train/data/pairs/encode_prompts.ts";
import { makePairs } from "../../../../packages/train/data/pairs/make_pairs.ts";
import { planPairs } from "../../../../packages/train/data/pairs/plan_pairs.ts";
import { writeSafetensors } from "../../../../packages/core/weights/safetensors/safetensors.ts";
import { withDeepT5 } from "../../../core/text/_deep_t5.ts";
import { withTextEncoders } from "../../../core/text/_golden.ts";
import { DIFFUSERS_LAYOUT, modelFolder } from "../../../core/model_folder/_model.ts";
import { tinyModel } from "../../../e2e/_tiny_model.ts";
import { gpu } from "../../../helpers/gpu.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

const model = await withDeepT5(modelFolder(DIFFUSERS_LAYOUT), { blocks: 6 });
const prompts = `${temporaryFolder()}/prompts.txt`;
Deno.writeTextFileSync(prompts, "a red fox\nships\n");

function config(change: Partial<PairsConfig> = {}): PairsConfig {
  const common = { out: `${temporaryFolder()}/pairs`, model, size: 32, steps: 3, count: 2, prompts, prompt_tokens: 40 };
  return pairsConfig.parse({ ...common, ...change });
}

/** Makes pairs as the command does on a GPU of its own: the most that was reserved of it for texts, and in all. */
async function measured(config: PairsConfig): Promise<{ texts: number; all: number }> {
  using own = await openGpu();
  const { signal } = new AbortController();
  const encoded = await encodePrompts(config, { gpu: own, notice: () => {}, onProgress: () => {}, signal });
  const texts = own.memory.peak;
  expect(own.memory.reserved).toBe(0);
  await makePairs(encoded, { gpu: own, notice: () => {} });
  return { texts, all: own.memory.peak };
}

test.each<[string, Partial<PairsConfig>]>([
  ["prompts", {}],
  ["prompts, larger and two at a time", { size: 64, batch_size: 2 }],
  ["the model's own text", { prompts: undefined }],
])("the peak is predicted within a tenth: %s", async (_, change) => {
  const before = gpu.memory.reserved;
  const asked = config(change);
  const { texts, teacher } = await planPairs(gpu, asked);
  expect([gpu.memory.reserved, await Deno.stat(asked.out).catch(() => "none")]).toEqual([before, "none"]);
  const most = await measured(asked);
  if (texts) expect(Math.abs(texts.peakBytes / most.texts - 1)).toBeLessThan(0.1);
  else expect(most.texts).toBe(0);
  expect(Math.abs(Math.max(teacher.peakBytes, texts?.peakBytes ?? 0) / most.all - 1)).toBeLessThan(0.1);
});

test("texts that do not fit the transformer are refused before anything is loaded", async () => {
  const path = `${temporaryFolder()}/text.safetensors`;
  const f32 = (
    ...shape: number[]
  ) => ({ dtype: "F32", shape, bytes: new Uint8Array(4 * shape[0]! * shape[1]!) } as const);
  await writeSafetensors(path, [["txt", f32(5, 44)], ["y", f32(1, 32)]]);
  await expect(planPairs(gpu, config({ prompts: path }))).rejects.toThrow(
    `Cannot use prompts "${path}": txt must be [P, T, 48]: it is [5, 44]`,
  );
  const narrow = withTextEncoders(temporaryFolder());
  await tinyModel(narrow, { sizes: { context_in_dim: 44 } });
  await expect(planPairs(gpu, config({ model: narrow }))).rejects.toThrow("T5 and CLIP must have the widths");
});

test("pictures that are led back to noise are planned for too", async () => {
  const { texts, teacher } = await planPairs(gpu, config({ prompts: undefined, from_images: "nowhere" }));
  expect(texts).toBeUndefined();
  expect(teacher.usedBytes).toBeGreaterThan(teacher.loadedBytes);
});

import { join } from "node:path";
import { expect, test } from "vitest";
import { cutNotices } from "../../../packages/core/text/cut_notices.ts";
import { loadClip } from "../../../packages/core/text/load_clip.ts";
import { loadT5 } from "../../../packages/core/text/load_t5.ts";
import { openTextFolder } from "../../../packages/core/text/text_folder.ts";
import { writeEmbeddings } from "../../../packages/core/text/write_embeddings.ts";
import { openAdapter } from "../../../packages/core/lora/adapter_folder.ts";
import { readConditioning } from "../../../packages/core/model_folder/conditioning.ts";
import { parseMmditConfig } from "../../../packages/core/model_folder/mmdit_config.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { gpu, scaledError } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { golden } from "../weights/_files.ts";
import { goldenConfig } from "../model_folder/_model.ts";
import { GOLDEN } from "./_golden.ts";

const folder = await openTextFolder(GOLDEN);
const tokenize = (text: string) => folder.tokenize(text, { max: 9 });
const common = { gpu, folder, max: 9 };
const config = parseMmditConfig("golden", goldenConfig("mmdit-guidance"));

test("the file has what the encoders say of every text, in the order of the texts", async () => {
  const path = join(temporaryFolder(), "p.safetensors");
  const texts = ["a red fox", "a butterfly", ""].map(tokenize);
  const progress: [number, number][] = [];
  const live = gpu.memory.live;
  const onProgress = (...step: [number, number]) => void progress.push(step);
  await writeEmbeddings(path, { ...common, texts, dtype: "BF16", onProgress });
  expect([gpu.memory.live, progress.at(0), progress.at(-1)]).toEqual([live, [1, 6], [6, 6]]);

  using source = await openWeights(path);
  expect(Object.fromEntries(source.tensors)).toEqual({
    txt: { dtype: "BF16", shape: [3, 9, 48] },
    y: { dtype: "BF16", shape: [3, 32] },
  });
  using clip = await loadClip(gpu, folder.clip);
  using t5 = await loadT5(gpu, folder.t5, { tokens: 9 });
  const txt = await source.readF32("txt"), y = await source.readF32("y");
  for (const [i, text] of texts.entries()) {
    const [[states], [pooled]] = [await t5.encode([text.t5.ids]), await clip.encode([text.clip.ids])];
    expect(scaledError(txt.slice(i * 9 * 48, (i + 1) * 9 * 48), states!)).toBeLessThan(2 ** -8);
    expect(scaledError(y.slice(i * 32, (i + 1) * 32), pooled!)).toBeLessThan(2 ** -8);
  }
});

test("a file of one text is the text of a model folder, and of an adapter folder under its names", async () => {
  const dir = temporaryFolder();
  const path = join(dir, "t5_embedding.safetensors");
  await writeEmbeddings(path, {
    ...common,
    texts: [tokenize("a red fox")],
    dtype: "F32",
    metadata: { text: "a red fox" },
  });
  const text = await readConditioning(path, config);
  expect([text.txt_shape, text.y.length]).toEqual([[9, 48], 32]);
  Deno.copyFileSync(path, join(dir, "clip_embedding.safetensors"));
  Deno.copyFileSync(golden("lora/lora.safetensors"), join(dir, "pytorch_lora_weights.safetensors"));
  expect((await openAdapter(dir, config)).conditioning).toEqual(text);
  using source = await openWeights(path);
  expect(source.metadata).toEqual({ text: "a red fox" });
});

test("a signal ends the work, and leaves neither a file nor memory", async () => {
  const dir = temporaryFolder();
  const stop = new AbortController();
  const live = gpu.memory.live;
  const written = writeEmbeddings(join(dir, "p.safetensors"), {
    ...common,
    texts: ["a", "b", "c"].map(tokenize),
    dtype: "F32",
    onProgress: (done) => done === 2 && stop.abort(),
    signal: stop.signal,
  });
  expect(await written.catch((error) => error)).toBe(stop.signal.reason);
  expect([gpu.memory.live, [...Deno.readDirSync(dir)]]).toEqual([live, []]);
});

test("texts that are cut are told", () => {
  const { clip } = folder;
  const long = "a photo of a red fox in the snow ".repeat(9);
  expect(cutNotices([tokenize("a"), tokenize("b")], { clip, max: 9 })).toEqual([]);
  expect(cutNotices([tokenize(long)], { clip, max: 9 })).toEqual([
    "CLIP takes 40 tokens: the text is cut",
    "T5 takes 9 tokens: the text is cut",
  ]);
  expect(cutNotices([tokenize("a"), tokenize(long), tokenize("a photo of a red fox")], { clip, max: 9 })).toEqual([
    "CLIP takes 40 tokens: 1 of 3 are cut, text 2 first",
    "T5 takes 9 tokens: 2 of 3 are cut, text 2 first",
  ]);
});

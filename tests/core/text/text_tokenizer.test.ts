import { describe, expect, test } from "vitest";
import { TextTokenizer } from "../../../packages/core/text/text_tokenizer.ts";
import { messageOf } from "../weights/_files.ts";
import { modelFolder } from "../model_folder/_model.ts";
import { EXPECTED, GOLDEN, MAX_TOKENS } from "./_golden.ts";

const clip = await TextTokenizer.open(`${GOLDEN}/tokenizer`);
const t5 = await TextTokenizer.open(`${GOLDEN}/tokenizer_2`);

describe.each(EXPECTED.tokens)("tokens of $text", ({ text, clip: clipIds, t5: t5Ids }) => {
  test("CLIP, of vocab.json and merges.txt", () => {
    expect(clip.encode(text, { max: MAX_TOKENS }).ids).toEqual(clipIds);
  });

  test("T5, of tokenizer.json", () => {
    const { ids } = t5.encode(text, { max: MAX_TOKENS });
    expect([...ids, ...Array(MAX_TOKENS - ids.length).fill(0)]).toEqual(t5Ids);
  });
});

test("a text that is too long is cut, and keeps its end", () => {
  const text = "a photo of a red fox";
  const { ids, isCut } = clip.encode(text, { max: 77 });
  expect([isCut, ids.at(-1)]).toEqual([false, 603]);
  expect(clip.encode(text, { max: ids.length })).toEqual({ ids, isCut: false });
  expect(clip.encode(text, { max: 4 })).toEqual({ ids: [...ids.slice(0, 3), 603], isCut: true });
});

const VOCAB = { "a</w>": 0, "<|startoftext|>": 1, "<|endoftext|>": 2 };

test.each<[string, Record<string, object>, string]>([
  ["no files", { "other.json": {} }, "folder must have tokenizer.json, or vocab.json and merges.txt: it has neither"],
  ["no merges", { "vocab.json": VOCAB }, "folder must have tokenizer.json, or vocab.json and merges.txt"],
  ["a list", { "vocab.json": [], "merges.txt": {} }, "vocab.json must be a JSON object: it is []"],
  ["no end", { "vocab.json": { ...VOCAB, "<|endoftext|>": "2" }, "merges.txt": {} }, `<|endoftext|>: it is "2"`],
  ["a merge of one", { "vocab.json": VOCAB, "merges.txt": {} }, `must be two parts of words: it is "{}"`],
  ["another format", { "tokenizer.json": { model: { type: "Best" } } }, "its files must be transformers': "],
])("refuses a folder with %s", async (_, files, state) => {
  expect(await messageOf(TextTokenizer.open(modelFolder(files)))).toContain(state);
});

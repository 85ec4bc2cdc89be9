import { describe, expect, test } from "vitest";
import { join } from "node:path";
import { loadClip } from "../../../packages/core/text/load_clip.ts";
import { loadT5 } from "../../../packages/core/text/load_t5.ts";
import { openTextFolder } from "../../../packages/core/text/text_folder.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { gpu, scaledError } from "../../helpers/gpu.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";
import { inputError, messageOf } from "../weights/_files.ts";
import { GOLDEN, TOLERANCE, withTextEncoders } from "./_golden.ts";

/** A copy of the golden folder. */
const copy = () => withTextEncoders(temporaryFolder());

/** Changes fields of a config.json in `folder`. */
function configure(folder: string, part: string, fields: object): string {
  const path = join(folder, part, "config.json");
  Deno.writeTextFileSync(path, JSON.stringify({ ...JSON.parse(Deno.readTextFileSync(path)), ...fields }));
  return folder;
}

describe("openTextFolder()", () => {
  test("has encoders that give what the tokens are worth, and leave no memory behind", async () => {
    using folder = await openTextFolder(GOLDEN);
    const tokens = folder.tokenize("a photo of a red fox", { max: 30 });
    const live = gpu.memory.live;
    {
      using clip = await loadClip(gpu, folder.clip);
      const [pooled, again] = await clip.encode([tokens.clip.ids, tokens.clip.ids]);
      expect(pooled!.length).toBe(32);
      expect(again).toEqual(pooled);
      // CLIP's slow padding comes after the end, which does not see it.
      const padded = [...tokens.clip.ids, 603, 603];
      expect(scaledError((await clip.encode([padded]))[0]!, pooled!)).toBeLessThan(TOLERANCE);
    }
    {
      using t5 = await loadT5(gpu, folder.t5, { tokens: 30 });
      const [states] = await t5.encode([tokens.t5.ids]);
      expect(states!.length).toBe(30 * 48);
      using longer = await loadT5(gpu, folder.t5, { tokens: 31 });
      // One more token of padding, which all others attend to.
      const [more] = await longer.encode([tokens.t5.ids]);
      expect(scaledError(more!.slice(0, 30 * 48), states!)).toBeGreaterThan(TOLERANCE);
    }
    expect(gpu.memory.live).toBe(live);
  });

  test("names what is missing", async () => {
    const folder = copy();
    Deno.removeSync(join(folder, "tokenizer_2"), { recursive: true });
    const { message, hint } = await inputError(openTextFolder(folder));
    expect(message).toBe(
      `Cannot open text encoders of "${folder}": folder must have text_encoder, text_encoder_2, tokenizer, ` +
        `tokenizer_2: it lacks "tokenizer_2"`,
    );
    expect(hint).toContain("FLUX.1-dev");
  });

  test.each<[string, object, string]>([
    ["text_encoder", { hidden_act: "gelu" }, `hidden_act must be "quick_gelu": it is "gelu"`],
    ["text_encoder", { model_type: "bert" }, `model_type must be "clip_text_model": it is "bert"`],
    ["text_encoder", { num_attention_heads: 5 }, "hidden_size must be a multiple of num_attention_heads (5): it is 32"],
    ["text_encoder_2", { feed_forward_proj: "relu" }, `feed_forward_proj must be "gated-gelu": it is "relu"`],
    ["text_encoder_2", { feed_forward_proj: null }, `feed_forward_proj must be "gated-gelu": it is null`],
    ["text_encoder_2", { relative_attention_num_buckets: 5 }, "relative_attention_num_buckets must be even: it is 5"],
    ["text_encoder_2", { d_model: 0 }, "d_model must be an integer from 1 to 1048576: it is 0"],
  ])("refuses in the config.json of %s %j", async (part, fields, state) => {
    expect(await messageOf(openTextFolder(configure(copy(), part, fields)))).toContain(state);
  });
});

test("weights that do not fit the configuration are refused by name, and nothing stays loaded", async () => {
  const live = gpu.memory.live;
  using wide = await openTextFolder(configure(copy(), "text_encoder_2", { d_ff: 41 }));
  expect(await messageOf(loadT5(gpu, wide.t5, { tokens: 8 }))).toContain(
    "file has [40, 48], model needs [41, 48]",
  );
  using deep = await openTextFolder(configure(copy(), "text_encoder", { num_hidden_layers: 3 }));
  expect(await messageOf(loadClip(gpu, deep.clip))).toContain("tensors are missing: ");
  using large = await openTextFolder(configure(copy(), "text_encoder_2", { vocab_size: 117 }));
  expect(await messageOf(loadT5(gpu, large.t5, { tokens: 8 }))).toBe(
    `Cannot load "shared.weight": file has [116, 48], model needs [117, 48]`,
  );
  expect(gpu.memory.live).toBe(live);
});

test("a table without the tokenizer's tokens is told", async () => {
  const folder = copy();
  using before = await openTextFolder(folder);
  const { source } = before.clip;
  const kept = await Promise.all([...source.tensors].map(async ([name, { dtype, shape }]) => {
    const { bytes } = await source.read(name);
    const isTable = name.endsWith("token_embedding.weight");
    const tensor = isTable
      ? { dtype, shape: [600, 32], bytes: bytes.subarray(0, 600 * 32 * 2) }
      : { dtype, shape, bytes };
    return [name, { ...tensor, dtype: "BF16" }] as const;
  }));
  await writeSafetensors(join(folder, "text_encoder", "model.safetensors"), kept);
  using after = await openTextFolder(configure(folder, "text_encoder", { vocab_size: 600 }));
  using clip = await loadClip(gpu, after.clip);
  await expect(clip.encode([after.tokenize("a fox", { max: 9 }).clip.ids])).rejects.toThrow(
    "tokens must be below 600, the rows of ",
  );
});

import { describe, expect, test } from "vitest";
import { join } from "node:path";
import { loadClip } from "../../../packages/core/text/load_clip.ts";
import { loadT5 } from "../../../packages/core/text/load_t5.ts";
import { openTextFolder } from "../../../packages/core/text/text_folder.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors.ts";
import { gpu, scaledError } from "../../helpers/gpu.ts";
import { inputError, messageOf, temporaryFolder } from "../weights/_files.ts";
import { EXPECTED, GOLDEN, TOLERANCE } from "./_golden.ts";

/** A copy of the golden folder. */
function copy(): string {
  const folder = temporaryFolder();
  for (const { name, isDirectory } of Deno.readDirSync(GOLDEN)) {
    if (!isDirectory) continue;
    Deno.mkdirSync(join(folder, name));
    for (const file of Deno.readDirSync(join(GOLDEN, name))) {
      Deno.copyFileSync(join(GOLDEN, name, file.name), join(folder, name, file.name));
    }
  }
  return folder;
}

/** Changes fields of a config.json in `folder`. */
function configure(folder: string, part: string, fields: object): string {
  const path = join(folder, part, "config.json");
  Deno.writeTextFileSync(path, JSON.stringify({ ...JSON.parse(Deno.readTextFileSync(path)), ...fields }));
  return folder;
}

describe("openTextFolder()", () => {
  test("loads encoders that make of a text what its tokens are worth, and leave no memory behind", async () => {
    using folder = await openTextFolder(GOLDEN);
    const live = gpu.memory.live;
    {
      using clip = await loadClip(gpu, folder.clip);
      expect([clip.shape, clip.tokens]).toEqual([[32], 40]);
      const [fox, cut] = [EXPECTED.tokens[1]!.text, EXPECTED.tokens.at(-1)!.text];
      const pooled = await clip.encode(fox);
      expect([pooled.values.length, pooled.isCut]).toEqual([32, false]);
      expect(await clip.encode(fox)).toEqual(pooled);
      expect((await clip.encode(cut)).isCut).toBe(true);
      expect((await clip.encode("")).values).not.toEqual(pooled.values);
    }
    {
      using t5 = await loadT5(gpu, folder.t5, { tokens: 30 });
      expect([t5.shape, t5.tokens]).toEqual([[30, 48], 30]);
      const { values, isCut } = await t5.encode("a fox");
      expect([values.length, isCut]).toEqual([30 * 48, false]);
      using longer = await loadT5(gpu, folder.t5, { tokens: 31 });
      // One more token of padding, which all others attend to.
      const padded = (await longer.encode("a fox")).values.slice(0, 30 * 48);
      expect(scaledError(padded, values)).toBeGreaterThan(TOLERANCE);
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
    `wi_0.weight": file has [40, 48], model needs [41, 48]`,
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
  await expect(clip.encode("a fox")).rejects.toThrow("tokens must be below 600, the rows of ");
});

import { InputError, openWeights } from "@fluxsr/core";
import { expect, test } from "vitest";
import { pairsConfig } from "../../../../packages/train/config/pairs_config.ts";
import { encodePrompts } from "../../../../packages/train/data/pairs/encode_prompts.ts";
import { withTextEncoders } from "../../../core/text/_golden.ts";
import { DIFFUSERS_LAYOUT, modelFolder } from "../../../core/model_folder/_model.ts";
import { gpu } from "../../../helpers/gpu.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";
import { contentsOf } from "./_pairs.ts";

const model = withTextEncoders(modelFolder(DIFFUSERS_LAYOUT));

/** What encoding `lines` told; `change` is of the configuration. */
async function encode(lines: string, change: Partial<{ out: string; model: string; prompt_tokens: number }> = {}) {
  const prompts = `${temporaryFolder()}/prompts.txt`;
  Deno.writeTextFileSync(prompts, lines);
  const config = pairsConfig.parse({ out: `${temporaryFolder()}/pairs`, model, prompts, prompt_tokens: 8, ...change });
  const told: string[] = [], steps: number[] = [];
  const { signal } = new AbortController();
  const options = { gpu, notice: (text: string) => told.push(text), onProgress: (done: number) => steps.push(done) };
  return { before: config, config: await encodePrompts(config, { ...options, signal }), told, steps };
}

test("text becomes embeddings in the folder of the pairs, once", async () => {
  const live = gpu.memory.live;
  const { before, config, told, steps } = await encode("a red fox\n\nships\n");
  expect([told, steps, gpu.memory.live]).toEqual([["Encoding 2 prompts"], [1, 2, 3, 4], live]);
  expect(config).toEqual({ ...before, prompts: expect.stringMatching(/\/pairs\/prompts-[0-9a-f]{16}\.safetensors$/) });
  using source = await openWeights(config.prompts!);
  expect([...source.tensors.values()].map(({ shape }) => shape)).toEqual([[2, 8, 48], [2, 32]]);

  const stray = `${config.prompts}.tmp-1a2b3c4d`;
  Deno.writeTextFileSync(stray, "half written");
  const files = contentsOf(config.out);
  const again = await encode("a red fox\nships", { out: config.out });
  expect([again.config.prompts, again.told, again.steps]).toEqual([config.prompts, [], []]);
  expect(contentsOf(config.out)).toEqual(files);
  const others = [
    await encode("ships\na red fox", { out: config.out }),
    await encode("a red fox\nships", {
      out: config.out,
      prompt_tokens: 9,
    }),
  ];
  await expect(Deno.stat(stray)).rejects.toThrow();
  expect(new Set([config, ...others.map(({ config }) => config)].map(({ prompts }) => prompts)).size).toBe(3);
});

test("prompts that are cut are told", async () => {
  expect((await encode(`ships\n${"a red fox in the snow ".repeat(9)}`)).told).toEqual([
    "CLIP takes 40 tokens: 1 of 2 are cut, text 2 first",
    "T5 takes 8 tokens: 1 of 2 are cut, text 2 first",
    "Encoding 2 prompts",
  ]);
});

test("embeddings, and no prompts at all, are left as they are", async () => {
  const options = { gpu, notice: () => {}, onProgress: () => {}, signal: new AbortController().signal };
  for (const prompts of ["any.safetensors", undefined]) {
    const config = pairsConfig.parse({ out: "nowhere", ...prompts && { prompts } });
    expect(await encodePrompts(config, options)).toBe(config);
  }
});

test("a model without text encoders, or with those of another, is refused before anything is written", async () => {
  const refused = async (model: string) => {
    const out = `${temporaryFolder()}/pairs`;
    const error = await encode("a red fox", { model, out }).then(() => undefined, (error) => error);
    expect(error).toBeInstanceOf(InputError);
    await expect(Deno.stat(out)).rejects.toThrow();
    return error.message;
  };
  const bare = modelFolder(DIFFUSERS_LAYOUT);
  expect(await refused(bare)).toContain(`Cannot open text encoders of "${bare}": folder must have text_encoder, `);
  const path = `${bare}/transformer/config.json`;
  const config = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify({ ...config, joint_attention_dim: 44 }));
  expect(await refused(withTextEncoders(bare))).toBe(
    `Cannot encode prompts with "${bare}": T5 and CLIP must have the widths that the transformer takes, 44 and 32: ` +
      "they have 48 and 32",
  );
});

import { join } from "node:path";
import { expect, it } from "vitest";
import { mmditNames } from "../../../packages/core/weights/mmdit_names.ts";
import { openModelFolder } from "../../../packages/core/weights/model_folder.ts";
import { openNetworks } from "../../../packages/core/weights/open_networks.ts";
import { FLUX_DEV } from "../../../packages/core/weights/configs.ts";
import { notesOn, otherModel } from "../../../packages/core/weights/recognise.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors.ts";
import { golden, inputError, messageOf, temporaryFolder } from "./_files.ts";
import { memorySource } from "./_memory_source.ts";

const MODELS: [string, string][] = [
  ["FLUX.2", "double_stream_modulation_img.lin.weight"],
  ["FLUX.2", "model.diffusion_model.single_stream_modulation.linear.weight"],
  ["Chroma", "distilled_guidance_layer.in_proj.weight"],
  ["Qwen-Image", "transformer_blocks.0.img_mod.1.weight"],
  ["Z-Image", "cap_pad_token"],
  ["Stable Diffusion 3", "model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight"],
  ["Stable Diffusion 3", "pos_embed.pos_embed"],
  ["Stable Diffusion XL", "model.diffusion_model.label_emb.0.0.weight"],
  ["Stable Diffusion XL", "add_embedding.linear_1.weight"],
  ["Stable Diffusion", "model.diffusion_model.input_blocks.0.0.weight"],
];

it.each(MODELS)("names %s by %s", async (model, name) => {
  // FLUX.2 and Qwen-Image have img_in.weight too.
  const source = memorySource({ [name]: { shape: [1] }, "img_in.weight": { shape: [1, 1] } });
  const error = await inputError(() => mmditNames(source));
  expect(error.message).toBe(`Cannot load "memory": the model must be FLUX.1: it is ${model}`);
  expect(error.hint).toContain("FLUX.1-dev");

  const folder = temporaryFolder(), path = join(folder, "model.safetensors");
  await writeSafetensors(path, [[name, { dtype: "F32", shape: [1], bytes: new Uint8Array(4) }]]);
  for (const open of [() => openModelFolder(folder), () => openNetworks(path)]) {
    expect(await messageOf(open)).toMatch(new RegExp(`must be FLUX.1: it is ${model}$`));
  }
});

it.each(["mmdit-guidance/weights", "mmdit-guidance-diffusers/weights.diffusers", "vae/weights", "lora/lora"])(
  "takes %s for no other model",
  async (path) => {
    using source = await openWeights(golden(`${path}.safetensors`));
    expect(otherModel(source.tensors)).toBeUndefined();
  },
);

it("notes FLUX.1-schnell, which has FLUX.1-dev's shapes without its guidance", () => {
  expect(notesOn({ ...FLUX_DEV, guidance_embed: false })).toEqual([expect.stringContaining("FLUX.1-schnell")]);
  expect(notesOn(FLUX_DEV)).toEqual([]);
});

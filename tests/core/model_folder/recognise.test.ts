import { join } from "node:path";
import { expect, it } from "vitest";
import { mmditNames } from "../../../packages/core/model_folder/mmdit_names.ts";
import { openModelFolder } from "../../../packages/core/model_folder/model_folder.ts";
import { openNetworks } from "../../../packages/core/model_folder/open_networks.ts";
import { FLUX_DEV } from "../../../packages/core/model_folder/configs.ts";
import { otherModel, refuseSchnell } from "../../../packages/core/model_folder/recognise.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { golden, inputError, messageOf, rawFile } from "../weights/_files.ts";
import { memorySource } from "../weights/_memory_source.ts";
import { DIFFUSERS_LAYOUT, modelFolder } from "./_model.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const MODELS: [string, string][] = [
  ["FLUX.2", "double_stream_modulation_img.lin.weight"],
  ["FLUX.2", "model.diffusion_model.single_stream_modulation.linear.weight"],
  ["Chroma", "distilled_guidance_layer.in_proj.weight"],
  ["Qwen-Image", "transformer_blocks.0.img_mod.1.weight"],
  ["Z-Image", "cap_pad_token"],
  ["AuraFlow", "joint_transformer_blocks.0.attn.to_q.weight"],
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

it.each([
  ["bitsandbytes", "double_blocks.0.img_mlp.0.weight.quant_state.bitsandbytes__nf4"],
  ["SVDQuant", "transformer_blocks.0.attn.to_out.0.qweight"],
  ["NVFP4", "double_blocks.0.img_mlp.0.weight_scale_2"],
])("names the quantisation of %s", async (kind, name) => {
  const source = memorySource({ [name]: { shape: [1] }, "img_in.weight": { shape: [1, 1] } });
  const error = await inputError(() => mmditNames(source));
  expect(error.message).toMatch(new RegExp(`"memory": weights must be F32, .*: they are quantised by ${kind}$`));
  expect(error.hint).toContain("GGUF");
});

it.each(["mmdit-guidance/weights", "mmdit-guidance-diffusers/weights.diffusers", "vae/weights", "lora/lora"])(
  "takes %s for no other model",
  async (path) => {
    using source = await openWeights(golden(`${path}.safetensors`));
    expect(otherModel(source.tensors)).toBeUndefined();
  },
);

it("refuses FLUX.1-schnell, which has FLUX.1-dev's shapes without its guidance", async () => {
  const schnell = { _class_name: "FluxTransformer2DModel", in_channels: 64, guidance_embeds: false };
  const folder = modelFolder({ ...DIFFUSERS_LAYOUT, "transformer/config.json": schnell });
  const error = await inputError(openModelFolder(folder));
  expect(error.message).toMatch(
    /the model must be FLUX.1-dev: it is FLUX.1-schnell, 3072 wide without a guidance embedding$/,
  );
  expect(error.hint).toContain("FLUX.1-dev");
  expect(() => refuseSchnell("", FLUX_DEV)).not.toThrow();
  // Small models have no guidance either.
  expect(() => refuseSchnell("", { ...FLUX_DEV, guidance_embed: false, hidden_size: 192 })).not.toThrow();
});

it("refuses a file of FLUX.1-schnell", async () => {
  const shapes = {
    "img_in.weight": [3072, 64],
    "final_layer.linear.weight": [64, 3072],
    "vector_in.in_layer.weight": [3072, 768],
    "txt_in.weight": [3072, 4096],
    "single_blocks.0.norm.query_norm.scale": [128],
    "single_blocks.0.linear1.weight": [21504, 3072],
  };
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const begin = end;
      end += shape.reduce((product, size) => product * size, 1);
      return [name, { dtype: "F8_E4M3", shape, data_offsets: [begin, end] }];
    }),
  );
  const path = join(temporaryFolder(), "flux1-schnell.safetensors"), bytes = rawFile(header);
  Deno.writeFileSync(path, bytes);
  Deno.truncateSync(path, bytes.length + end); // takes no room on the disk
  expect(await messageOf(openNetworks(path))).toMatch(/it is FLUX.1-schnell/);
});

it.each([
  ["FluxPipeline", true],
  ["FluxKontextPipeline", true],
  ["Flux2Pipeline", false],
  ["StableDiffusionXLPipeline", false],
  ["WanPipeline", false],
])("tells by diffusers' model_index.json of a %s whether it can be FLUX.1: %s", async (name, isFlux) => {
  const folder = modelFolder({ ...DIFFUSERS_LAYOUT, "model_index.json": { _class_name: name } });
  if (isFlux) {
    using model = await openModelFolder(folder);
    expect(model.path).toBe(folder);
    return;
  }
  expect(await messageOf(openModelFolder(folder))).toBe(
    `Cannot open model "${folder}": the model must be FLUX.1: it is of a ${name}`,
  );
});

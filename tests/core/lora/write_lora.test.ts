import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LoraAdapter } from "../../../packages/core/lora/adapter.ts";
import { readLora } from "../../../packages/core/lora/lora_file.ts";
import { moduleShapes } from "../../../packages/core/lora/module_shapes.ts";
import { writeLora } from "../../../packages/core/lora/write_lora.ts";
import type { MmditConfig } from "../../../packages/core/model_folder/configs.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { change, TINY } from "./_adapters.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const GUIDED: MmditConfig = { ...TINY, guidance_embed: true };
const WIDTH = 4, MLP = 8;

/** Adapters with other numbers each; sixteenths, so that every product is exact. */
function adaptersOf(
  modules: readonly string[],
  rankOf: (module: string) => number,
  scale = 1,
): Map<string, LoraAdapter> {
  const shapes = moduleShapes(GUIDED);
  let state = 7;
  const next = () => ((state = state * 37 % 257) - 128) / 16;
  return new Map(modules.map((module) => {
    const [out, inner] = shapes.get(module)!;
    const rank = rankOf(module);
    const a = Float32Array.from({ length: rank * inner }, next), b = Float32Array.from({ length: out * rank }, next);
    return [module, { a, b, rank, in: inner, out, scale }];
  }));
}

const ALL = adaptersOf([...moduleShapes(GUIDED).keys()], () => 2);

/** Writes adapters and opens the file. */
async function written(adapters: ReadonlyMap<string, LoraAdapter>, dtype: "F32" | "F16" = "F32") {
  const path = join(temporaryFolder(), "lora.safetensors");
  await writeLora(path, adapters, { config: GUIDED, dtype });
  return await openWeights(path);
}

/** Shapes of A and B by module, of rank 2: the list of diffusers' names. */
const DIFFUSERS: Record<string, readonly [inner: number, out: number]> = {
  "transformer_blocks.0.attn.to_q": [WIDTH, WIDTH],
  "transformer_blocks.0.attn.to_k": [WIDTH, WIDTH],
  "transformer_blocks.0.attn.to_v": [WIDTH, WIDTH],
  "transformer_blocks.0.attn.add_q_proj": [WIDTH, WIDTH],
  "transformer_blocks.0.attn.add_k_proj": [WIDTH, WIDTH],
  "transformer_blocks.0.attn.add_v_proj": [WIDTH, WIDTH],
  "transformer_blocks.0.attn.to_out.0": [WIDTH, WIDTH],
  "transformer_blocks.0.attn.to_add_out": [WIDTH, WIDTH],
  "transformer_blocks.0.ff.net.0.proj": [WIDTH, MLP],
  "transformer_blocks.0.ff_context.net.0.proj": [WIDTH, MLP],
  "transformer_blocks.0.ff.net.2": [MLP, WIDTH],
  "transformer_blocks.0.ff_context.net.2": [MLP, WIDTH],
  "transformer_blocks.0.norm1.linear": [WIDTH, 6 * WIDTH],
  "transformer_blocks.0.norm1_context.linear": [WIDTH, 6 * WIDTH],
  "single_transformer_blocks.0.attn.to_q": [WIDTH, WIDTH],
  "single_transformer_blocks.0.attn.to_k": [WIDTH, WIDTH],
  "single_transformer_blocks.0.attn.to_v": [WIDTH, WIDTH],
  "single_transformer_blocks.0.proj_mlp": [WIDTH, MLP],
  "single_transformer_blocks.0.proj_out": [WIDTH + MLP, WIDTH],
  "single_transformer_blocks.0.norm.linear": [WIDTH, 3 * WIDTH],
  "x_embedder": [8, WIDTH],
  "context_embedder": [5, WIDTH],
  "time_text_embed.timestep_embedder.linear_1": [256, WIDTH],
  "time_text_embed.timestep_embedder.linear_2": [WIDTH, WIDTH],
  "time_text_embed.guidance_embedder.linear_1": [256, WIDTH],
  "time_text_embed.guidance_embedder.linear_2": [WIDTH, WIDTH],
  "time_text_embed.text_embedder.linear_1": [3, WIDTH],
  "time_text_embed.text_embedder.linear_2": [WIDTH, WIDTH],
  "norm_out.linear": [WIDTH, 2 * WIDTH],
  "proj_out": [WIDTH, 8],
};

describe("writeLora()", () => {
  it("writes the keys and shapes that diffusers has for every linear module", async () => {
    using file = await written(ALL);
    const wanted = Object.entries(DIFFUSERS).flatMap(([module, [inner, out]]) => [
      [`transformer.${module}.lora_A.weight`, { dtype: "F32", shape: [2, inner] }],
      [`transformer.${module}.lora_B.weight`, { dtype: "F32", shape: [out, 2] }],
    ]);
    expect(Object.fromEntries(file.tensors)).toEqual(Object.fromEntries(wanted));
    const { lora_adapter_metadata, ...metadata } = file.metadata;
    expect(metadata).toEqual({ format: "pt" });
    expect(JSON.parse(lora_adapter_metadata!)).toEqual({
      "transformer.r": 2,
      "transformer.lora_alpha": 2,
      "transformer.target_modules": expect.arrayContaining(Object.keys(DIFFUSERS)),
      "transformer.rank_pattern": {},
      "transformer.alpha_pattern": {},
    });
  });

  it("cuts fused modules by rows and exchanges the halves of norm_out", async () => {
    using file = await written(ALL);
    const b = (name: string) => file.readF32(`transformer.${name}.lora_B.weight`);
    const a = (name: string) => file.readF32(`transformer.${name}.lora_A.weight`);
    const linear1 = ALL.get("single_blocks.0.linear1")!;
    expect(await b("single_transformer_blocks.0.attn.to_v")).toEqual(linear1.b.slice(2 * WIDTH * 2, 3 * WIDTH * 2));
    expect(await b("single_transformer_blocks.0.proj_mlp")).toEqual(linear1.b.slice(3 * WIDTH * 2));
    expect(await a("single_transformer_blocks.0.proj_mlp")).toEqual(linear1.a);
    const final = ALL.get("final_layer.adaLN_modulation.1")!;
    const half = final.b.length / 2;
    expect(await b("norm_out.linear")).toEqual(Float32Array.of(...final.b.slice(half), ...final.b.slice(0, half)));
  });

  it.each<[string, Map<string, LoraAdapter>]>([
    ["all modules", ALL],
    ["some modules", adaptersOf(["single_blocks.0.linear1", "double_blocks.0.txt_mlp.2"], () => 3)],
    ["a scale", adaptersOf(["double_blocks.0.img_attn.qkv", "img_in"], () => 4, 0.25)],
    ["a rank of its own for each", adaptersOf([...ALL.keys()], (module) => 1 + module.length % 5)],
    [
      "another rank for proj_out than for the final layer",
      adaptersOf(["final_layer.linear", "single_blocks.0.linear2"], (module) => module.length % 3 + 1),
    ],
  ])("comes back as the same change of every weight, by no more ranks: %s", async (_, adapters) => {
    using file = await written(adapters);
    const { adapters: read } = await readLora(file, GUIDED);
    expect([...read.keys()].sort()).toEqual([...adapters.keys()].sort());
    for (const [module, adapter] of adapters) {
      expect(read.get(module)!.scale, module).toBe(1);
      expect(read.get(module)!.rank, module).toBe(adapter.rank);
      expect(change(read.get(module)!), module).toEqual(change(adapter));
    }
  });

  it("writes f16", async () => {
    using file = await written(ALL, "F16");
    expect([...file.tensors.values()].every(({ dtype }) => dtype === "F16")).toBe(true);
    const { adapters } = await readLora(file, GUIDED);
    // Sixteenths below 8 are exact in f16.
    for (const [module, adapter] of ALL) expect(change(adapters.get(module)!), module).toEqual(change(adapter));
  });

  it("tells PEFT each module's rank if they differ, blocks before what is outside", async () => {
    using file = await written(
      adaptersOf(["final_layer.linear", "single_blocks.0.linear2"], (module) => module.length),
    );
    const { lora_adapter_metadata } = file.metadata;
    const metadata = JSON.parse(lora_adapter_metadata!);
    const pattern = { "single_transformer_blocks.0.proj_out": 23, "proj_out": 18 };
    expect(Object.entries(metadata["transformer.rank_pattern"])).toEqual(Object.entries(pattern));
    expect(metadata["transformer.alpha_pattern"]).toEqual(pattern);
  });

  it("refuses a module that the model does not have, and writes nothing", async () => {
    const folder = temporaryFolder();
    const adapters = new Map([["double_blocks.1.img_mlp.0", ALL.get("double_blocks.0.img_mlp.0")!]]);
    await expect(writeLora(join(folder, "lora.safetensors"), adapters, { config: GUIDED, dtype: "F32" }))
      .rejects.toThrow('the network has no linear layer "double_blocks.1.img_mlp.0"');
    expect([...Deno.readDirSync(folder)]).toEqual([]);
  });
});

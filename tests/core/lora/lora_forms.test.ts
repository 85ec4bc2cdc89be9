import { describe, expect, it } from "vitest";
import type { LoraAdapter } from "../../../packages/core/lora/adapter.ts";
import { readLora } from "../../../packages/core/lora/lora_file.ts";
import type { MmditConfig } from "../../../packages/core/model_folder/configs.ts";
import { diffusersModules } from "../../../packages/core/model_folder/diffusers_modules.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { golden } from "../weights/_files.ts";
import { memorySource, type TestTensor } from "../weights/_memory_source.ts";
import { goldenConfig } from "../model_folder/_model.ts";
import { change } from "./_adapters.ts";

/** The golden adapters: rank 4, alpha 8, on every linear of every block. */
const config = goldenConfig("mmdit-guidance") as unknown as MmditConfig;
const RANK = 4, ALPHA = 8;
using file = await openWeights(golden("lora/lora.safetensors"));
const { adapters: plain } = await readLora(file, config);

/** The adapters as a file with two tensors for each, named by `name`. */
function tensorsOf(name: (module: string, factor: "a" | "b") => string): Record<string, TestTensor> {
  const tensors: Record<string, TestTensor> = {};
  for (const [module, adapter] of plain) {
    tensors[name(module, "a")] = { shape: [adapter.rank, adapter.in], values: adapter.a };
    tensors[name(module, "b")] = { shape: [adapter.out, adapter.rank], values: adapter.b };
  }
  return tensors;
}

const peft = (prefix: string, middle = "") => (module: string, factor: "a" | "b") =>
  `${prefix}${module}.lora_${factor.toUpperCase()}${middle}.weight`;

function kohya(): Record<string, TestTensor> {
  const base = (module: string) => `lora_unet_${module.replaceAll(".", "_")}`;
  const tensors = tensorsOf((module, factor) => `${base(module)}.lora_${factor === "a" ? "down" : "up"}.weight`);
  for (const module of plain.keys()) tensors[`${base(module)}.alpha`] = { shape: [], values: [ALPHA] };
  return tensors;
}

/** As diffusers has it: q, k, v (and the MLP) apart, each with the whole A and its rows of B. */
function diffusers(name: (module: string, factor: "a" | "b") => string): Record<string, TestTensor> {
  const tensors: Record<string, TestTensor> = {};
  for (const [module, { module: target, part, parts }] of diffusersModules(config.depth, config.depth_single_blocks)) {
    const adapter = plain.get(target);
    if (!adapter) continue;
    const begin = part * config.hidden_size;
    const end = parts > 1 && part < 3 ? begin + config.hidden_size : adapter.out;
    tensors[name(module, "a")] = { shape: [RANK, adapter.in], values: adapter.a };
    tensors[name(module, "b")] = { shape: [end - begin, RANK], values: adapter.b.subarray(begin * RANK, end * RANK) };
  }
  return tensors;
}

const metadata = { rank: `${RANK}`, alpha: `${ALPHA}.0` };
const peftMetadata = {
  format: "pt",
  lora_adapter_metadata: JSON.stringify({ "transformer.r": RANK, "transformer.lora_alpha": ALPHA }),
};

describe("readLora()", () => {
  it("reads the golden file: every target, scale 1 where nothing says alpha", () => {
    const { targets } = JSON.parse(Deno.readTextFileSync(golden("lora/case.json"))).config;
    expect([...plain.keys()].sort()).toEqual(targets.sort());
    expect(plain.get("single_blocks.2.linear2")).toMatchObject({ rank: 4, in: 320, out: 64, scale: 1 });
  });

  it.each<[string, Record<string, TestTensor>, Record<string, string>]>([
    ["bare BFL names", tensorsOf(peft("")), metadata],
    ["PEFT with BFL names", tensorsOf(peft("transformer.")), metadata],
    ["ComfyUI", tensorsOf(peft("diffusion_model.")), metadata],
    ["raw PEFT with an adapter's name", tensorsOf(peft("base_model.model.", ".default")), peftMetadata],
    ["PEFT in a transformer", tensorsOf(peft("transformer.base_model.model.")), peftMetadata],
    ["kohya", kohya(), {}],
    ["diffusers", diffusers(peft("transformer.")), peftMetadata],
    ["bare diffusers names", diffusers(peft("")), metadata],
    [
      "OneTrainer",
      diffusers((module, factor) =>
        `lora_transformer_${module.replaceAll(".", "_")}.lora_${factor === "a" ? "down" : "up"}.weight`
      ),
      metadata,
    ],
    [
      "older diffusers",
      diffusers((module, factor) => `transformer.${module}.lora.${factor === "a" ? "down" : "up"}.weight`),
      metadata,
    ],
  ])("gives the same change of every weight for %s", async (_, tensors, metadata) => {
    const { adapters } = await readLora(memorySource(tensors, metadata), config);
    expect([...adapters.keys()].sort()).toEqual([...plain.keys()].sort());
    for (const [module, adapter] of plain) {
      // alpha / rank is 2, so that scaling is exact.
      expect(change(adapters.get(module)!)).toEqual(change({ ...adapter, scale: ALPHA / RANK }));
    }
  });

  it("makes one adapter of the parts of a module, which here have the same A", async () => {
    const { adapters } = await readLora(memorySource(diffusers(peft("transformer."))), config);
    const wanted: Partial<LoraAdapter> = { rank: RANK, in: 64, out: 448, scale: 1 };
    expect(adapters.get("single_blocks.0.linear1")).toMatchObject(wanted);
    expect(adapters.get("double_blocks.0.img_attn.qkv")).toMatchObject({ rank: RANK, out: 192 });
    expect(adapters.get("double_blocks.0.img_attn.proj")).toMatchObject({ rank: RANK, out: 64 });
  });
});

import { openModelFolder, openWeights } from "@fluxsr/core";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openGpu } from "@fluxsr/kernels";
import { type ConvertRequest, runConvert } from "../../packages/cli/convert.ts";
import { toF32 } from "../../packages/core/weights/dtypes/dtype.ts";
import { readLora } from "../../packages/core/lora/lora_file.ts";
import { change } from "../core/lora/_adapters.ts";
import { golden } from "../core/weights/_files.ts";
import { DIFFUSERS_LAYOUT, goldenConfig, modelFolder } from "../core/model_folder/_model.ts";
import { fakeHost, folderWith, namesIn, removeFolders } from "./_fakes.ts";

afterEach(removeFolders);

async function convert(request: Partial<ConvertRequest> & { model: string }): Promise<string> {
  const output = join(folderWith({}), "out");
  await runConvert({ layout: "diffusers", shardSize: 1e9, output, ...request }, { host: fakeHost(), openGpu });
  return output;
}

/** The file of `folder`'s `network` as it is stored. */
async function stored(path: string) {
  using source = await openWeights(path);
  const tensors: Record<string, unknown> = {};
  for (const name of [...source.tensors.keys()].sort()) tensors[name] = await source.read(name);
  return tensors;
}

const BFL_LAYOUT = {
  "flux1-dev.safetensors": "mmdit-guidance/weights.safetensors",
  "ae.safetensors": "vae/weights.safetensors",
  "config.json": { transformer: goldenConfig("mmdit-guidance"), autoencoder: goldenConfig("vae") },
};

test("bfl -> diffusers -> bfl gives the same bytes, and diffusers' own names on the way", async () => {
  const model = modelFolder(BFL_LAYOUT);
  const diffusers = await convert({ model });
  const names = (path: string) => stored(path).then(Object.keys);
  expect(await names(join(diffusers, "transformer")))
    .toEqual(await names(golden("mmdit-guidance-diffusers/weights.diffusers.safetensors")));
  expect(await names(join(diffusers, "vae"))).toEqual(
    await names(golden("vae-diffusers/weights.diffusers.safetensors")),
  );
  const back = await convert({ model: diffusers, layout: "bfl" });
  for (const file of ["flux1-dev.safetensors", "ae.safetensors"]) {
    expect(await stored(join(back, file))).toEqual(await stored(join(model, file)));
  }
  using one = await openModelFolder(model);
  using other = await openModelFolder(back);
  expect(other.transformer.config).toEqual(one.transformer.config);
  expect(other.vae.config).toEqual(one.vae.config);
});

test("diffusers -> bfl -> diffusers gives the same bytes", async () => {
  const model = modelFolder(DIFFUSERS_LAYOUT);
  const back = await convert({ model: await convert({ model, layout: "bfl" }) });
  for (const network of ["transformer", "vae"]) {
    expect(await stored(join(back, network))).toEqual(await stored(join(model, network)));
  }
});

test("copies settings, what they name, and text files; keeps nothing else", async () => {
  const model = modelFolder({
    ...DIFFUSERS_LAYOUT,
    "lora/sr.safetensors": "lora/lora.safetensors",
    "fluxsr.json": { T_L: 0.5, lora: "lora/sr.safetensors" },
    "README.md": {},
    "other.bin": {},
  });
  const out = await convert({ model, layout: "bfl" });
  expect(namesIn(out)).toEqual([
    "README.md",
    "ae.safetensors",
    "config.json",
    "flux1-dev.safetensors",
    "fluxsr.json",
    "lora",
  ]);
  using opened = await openModelFolder(out);
  expect(opened.settings).toMatchObject({ T_L: 0.5, lora: join(out, "lora/sr.safetensors") });
});

test("rounds to another dtype", async () => {
  const model = modelFolder(DIFFUSERS_LAYOUT);
  const half = await convert({ model, dtype: "bf16" });
  using before = await openModelFolder(model);
  using after = await openModelFolder(half);
  const name = "double_blocks.0.img_attn.qkv.weight";
  expect(after.transformer.source.tensors.get(name)?.dtype).toBe("BF16");
  const wanted = await before.transformer.source.readF32(name);
  const found = await after.transformer.source.readF32(name);
  // bf16 has 8 bits: half a unit in the last place is at most 2^-8 of the value.
  for (const [i, value] of wanted.entries()) {
    expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(Math.abs(value) / 256);
  }
});

test("takes a single file", async () => {
  const out = await convert({ model: golden("vae/weights.safetensors"), layout: "bfl" });
  expect(namesIn(out)).toEqual(["ae.safetensors", "config.json"]);
});

test("merges a LoRA into the weights and out of the settings", async () => {
  const lora = golden("lora/lora.safetensors");
  const model = modelFolder({
    "flux1-dev.safetensors": "mmdit-guidance/weights.safetensors",
    "ae.safetensors": "vae/weights.safetensors",
    "config.json": { transformer: goldenConfig("mmdit-guidance"), autoencoder: goldenConfig("vae") },
    "lora/own.safetensors": "lora/lora.safetensors",
    "fluxsr.json": { T_L: 0.5, lora: "lora/own.safetensors" },
  });
  const out = await convert({ model, lora, layout: "bfl", dtype: "f32" });
  using before = await openModelFolder(model);
  using after = await openModelFolder(out);
  expect(after.settings).toMatchObject({ T_L: 0.5 });
  expect(after.settings.lora).toBeUndefined();
  using source = await openWeights(lora);
  const { adapters } = await readLora(source, before.transformer.config);
  expect(adapters.size).toBeGreaterThan(0);
  for (const name of before.transformer.source.tensors.keys()) {
    const { bytes } = await before.transformer.source.read(name);
    const adapter = adapters.get(name.replace(/\.weight$/, ""));
    const found = await after.transformer.source.readF32(name);
    if (!adapter || !name.endsWith(".weight")) expect(found).toEqual(toF32(bytes, "F32"));
    else {
      const added = change(adapter);
      let worst = 0;
      for (const [i, value] of toF32(bytes, "F32").entries()) {
        worst = Math.max(worst, Math.abs(found[i]! - value - added[i]!));
      }
      expect(worst).toBeLessThan(1e-5); // f32 sums of numbers below 10
    }
  }
});

import { openModelFolder, openWeights, type WeightSource } from "@fluxsr/core";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openGpu } from "@fluxsr/kernels";
import { type ConvertRequest, runConvert } from "../../packages/cli/convert.ts";
import { type QuantisedDtype, quantize } from "../../packages/core/weights/dtypes/quantize.ts";
import { golden } from "../core/weights/_files.ts";
import { DIFFUSERS_LAYOUT, goldenConfig, modelFolder } from "../core/model_folder/_model.ts";
import { fakeHost, folderWith, namesIn, removeFolders } from "./_fakes.ts";

afterEach(removeFolders);

/** The golden transformer has rows of 64 and 256 values. */
const BFL_LAYOUT = {
  "flux1-dev.safetensors": "mmdit-guidance/weights.safetensors",
  "ae.safetensors": "vae/weights.safetensors",
  "config.json": { transformer: goldenConfig("mmdit-guidance"), autoencoder: goldenConfig("vae") },
};

async function convert(request: Partial<ConvertRequest> & { model: string }) {
  const output = join(folderWith({}), "out"), host = fakeHost();
  await runConvert({ shardSize: 1e9, output, ...request }, { host, openGpu });
  return { output, said: () => host.stderr };
}

const isInBlocks = (name: string) => /^(double|single)_blocks\..*\.weight$/.test(name);

/** What each tensor is stored as. */
function dtypes({ tensors }: WeightSource, where: (name: string, rank: number) => boolean): string[] {
  return [
    ...new Set([...tensors].filter(([name, { shape }]) => where(name, shape.length)).map(([, each]) => each.dtype)),
  ];
}

/** The values, rounded to `dtype` where they are quantised. */
async function rounded(source: WeightSource, name: string, dtype: QuantisedDtype) {
  return quantize(await source.readF32(name), { dtype });
}

test.each(["q8_0", "q4_0"] as const)("--dtype %s writes the weights of blocks into a GGUF file", async (name) => {
  const dtype = name.toUpperCase() as QuantisedDtype;
  const model = modelFolder(BFL_LAYOUT);
  const { output, said } = await convert({ model, dtype: name });
  expect(namesIn(output)).toEqual(["ae.safetensors", "config.json", `flux1-dev-${dtype}.gguf`]);
  expect(said()).not.toContain("stay as they are");
  using before = await openModelFolder(model);
  using after = await openModelFolder(output);
  expect(after.transformer.config).toEqual(before.transformer.config);
  const { source } = after.transformer;
  expect([...source.tensors.keys()].sort()).toEqual([...before.transformer.source.tensors.keys()].sort());
  expect(dtypes(source, isInBlocks)).toEqual([dtype]);
  expect(dtypes(source, (name) => !isInBlocks(name))).toEqual(["F32"]);
  for (const name of source.tensors.keys()) {
    if (isInBlocks(name)) {
      expect((await source.read(name)).bytes).toEqual(await rounded(before.transformer.source, name, dtype));
    } else expect(await source.readF32(name)).toEqual(await before.transformer.source.readF32(name));
  }
  for (const name of after.vae.source.tensors.keys()) {
    expect(await after.vae.source.read(name)).toEqual(await before.vae.source.read(name));
  }
});

test("weights whose rows are no whole blocks stay, and a note says so; vectors beside them become F32", async () => {
  const half = await convert({ model: modelFolder(BFL_LAYOUT), dtype: "bf16" });
  const { output, said } = await convert({ model: half.output, dtype: "q4_k" });
  expect(said()).toMatch(
    /^Note: 25 of 29 weights of blocks stay as they are: their rows are no whole blocks of Q4_K\n/,
  );
  using after = await openModelFolder(output);
  const { source } = after.transformer;
  expect(dtypes(source, (name) => /mlp\.2\.weight$/.test(name))).toEqual(["Q4_K"]);
  expect(dtypes(source, (name, rank) => rank === 2 && !/mlp\.2\.weight$/.test(name))).toEqual(["BF16"]);
  expect(dtypes(source, (_, rank) => rank === 1)).toEqual(["F32"]);
});

test("--dtype f8_e4m3 keeps a scale for each weight; converted again, to the other layout, values stay", async () => {
  const model = modelFolder(DIFFUSERS_LAYOUT);
  const { output } = await convert({ model, dtype: "f8_e4m3" });
  const single = await convert({ model: output, dtype: "f8_e4m3", layout: "bfl" });
  using before = await openModelFolder(model);
  using diffusers = await openModelFolder(output);
  using bfl = await openModelFolder(single.output);
  expect(dtypes(diffusers.transformer.source, isInBlocks)).toEqual(["F8_E4M3"]);
  for (const [name, info] of diffusers.transformer.source.tensors) {
    const wanted = await before.transformer.source.readF32(name);
    const found = await diffusers.transformer.source.readF32(name);
    expect(await bfl.transformer.source.readF32(name)).toEqual(found);
    if (!isInBlocks(name)) {
      expect(found).toEqual(wanted);
      continue;
    }
    // Three bits after the first: half a unit in the last place is 2^-4 of the value, of a subnormal one 2^-10 scale.
    for (const [i, value] of wanted.entries()) {
      expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(Math.max(Math.abs(value) / 16, info.scale! / 1024));
    }
  }
});

test("quantised weights become plain ones", async () => {
  const { output } = await convert({ model: modelFolder(BFL_LAYOUT), dtype: "q8_0" });
  const plain = await convert({ model: output, dtype: "f32" });
  using before = await openModelFolder(output);
  using after = await openModelFolder(plain.output);
  expect(dtypes(after.transformer.source, () => true)).toEqual(["F32"]);
  for (const name of after.transformer.source.tensors.keys()) {
    expect(await after.transformer.source.readF32(name)).toEqual(await before.transformer.source.readF32(name));
  }
});

test("a LoRA is merged first", async () => {
  const model = modelFolder(BFL_LAYOUT), lora = golden("lora/lora.safetensors");
  const merged = await convert({ model, lora, dtype: "f32" });
  const { output } = await convert({ model, lora, dtype: "q8_0" });
  using exact = await openModelFolder(merged.output);
  using after = await openModelFolder(output);
  for (const name of [...after.transformer.source.tensors.keys()].filter(isInBlocks)) {
    const { bytes } = await after.transformer.source.read(name);
    expect(bytes).toEqual(await rounded(exact.transformer.source, name, "Q8_0"));
  }
});

test("refuses a GGUF file with diffusers' names, and to quantise an autoencoder", async () => {
  const model = modelFolder(BFL_LAYOUT);
  await expect(convert({ model, dtype: "q8_0", layout: "diffusers" })).rejects
    .toThrow("Cannot write q8_0 in the diffusers layout: a GGUF file has Black Forest Labs' names");
  await expect(convert({ model: golden("vae/weights.safetensors"), dtype: "f8_e4m3" })).rejects
    .toThrow(/^Cannot write F8_E4M3: the input must have a transformer: ".*" has none$/);
});

test("a value that is not finite is named, and no folder is left", async () => {
  const model = modelFolder(BFL_LAYOUT);
  const path = join(model, "flux1-dev.safetensors");
  const bytes = await Deno.readFile(path);
  using source = await openWeights(path);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const [begin] = header["double_blocks.0.img_mlp.0.weight"].data_offsets;
  new DataView(bytes.buffer).setFloat32(8 + length + begin + 4 * 5, NaN, true);
  source.close();
  await Deno.writeFile(path, bytes);
  const parent = folderWith({});
  const output = join(parent, "out");
  for (const dtype of [undefined, "f32", "bf16", "q8_0", "q4_0", "f8_e4m3"] as const) {
    await expect(runConvert({ shardSize: 1e9, output, model, ...dtype && { dtype } }, { host: fakeHost(), openGpu }))
      .rejects
      .toThrow(`Cannot load "double_blocks.0.img_mlp.0.weight" of "${path}": weights must be finite: value 5 is NaN`);
  }
  expect(namesIn(parent)).toEqual([]);
});

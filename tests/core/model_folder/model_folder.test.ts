import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FLUX_AUTOENCODER } from "../../../packages/core/model_folder/configs.ts";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { openAutoencoderFolder, openModelFolder } from "../../../packages/core/model_folder/model_folder.ts";
import { type TensorData, writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { inputError, messageOf } from "../weights/_files.ts";
import { DIFFUSERS_LAYOUT, goldenConfig, modelFolder } from "./_model.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

const SINGLE_FILES = {
  "any.safetensors": "mmdit-guidance/weights.safetensors",
  "ae.safetensors": "vae/weights.safetensors",
  "lora.safetensors": "lora/lora.safetensors",
  "config.json": { transformer: goldenConfig("mmdit-guidance") },
} as const;

describe("openModelFolder()", () => {
  it("opens what diffusers saved, under BFL names", async () => {
    const path = modelFolder(DIFFUSERS_LAYOUT);
    using model = await openModelFolder(path);
    expect(model.path).toBe(path);
    expect(model.transformer.config).toEqual(goldenConfig("mmdit-guidance"));
    expect(model.vae.config).toEqual({ ...goldenConfig("vae"), norm_num_groups: 32 });
    expect(model.transformer.source.tensors.has("double_blocks.1.txt_attn.qkv.bias")).toBe(true);
    expect(await model.vae.source.readF32("decoder.up.0.block.0.conv1.bias")).toHaveLength(32);
    expect(model.settings).toEqual({
      T_L: 0.25,
      scale: 4,
      guidance: 1,
      token_shifts: 1,
      notch: false,
      border: 0,
      residual: false,
    });
  });

  it("opens single files by what is in them", async () => {
    using model = await openModelFolder(modelFolder(SINGLE_FILES));
    expect(model.transformer.config).toEqual(goldenConfig("mmdit-guidance"));
    expect(model.vae.config).toMatchObject({ ch: 32, resolution: FLUX_AUTOENCODER.resolution });
    expect(model.transformer.source.tensors.size).toBe(92);
  });

  it("opens one network from a folder, the other from a file", async () => {
    const { "transformer/config.json": config, "transformer/diffusion_pytorch_model.safetensors": weights } =
      DIFFUSERS_LAYOUT;
    using model = await openModelFolder(modelFolder({
      "transformer/config.json": config,
      "transformer/diffusion_pytorch_model.safetensors": weights,
      "ae.safetensors": "vae/weights.safetensors",
    }));
    expect(model.vae.source.path).toBe(join(model.path, "ae.safetensors"));
  });

  it("takes settings from fluxsr.json", async () => {
    const settings = {
      T_L: 0.5,
      scale: 2,
      guidance: 3.5,
      token_shifts: 4,
      notch: true,
      tile: 192,
      border: 16,
      residual: true,
      license: "MIT",
      name: "n",
    };
    using model = await openModelFolder(modelFolder({
      ...DIFFUSERS_LAYOUT,
      "lora/sr.safetensors": "lora/lora.safetensors",
      "fluxsr.json": { ...settings, lora: "lora/sr.safetensors" },
    }));
    const lora = join(model.path, "lora/sr.safetensors");
    expect(model.settings).toEqual({ ...settings, lora });
  });

  it("closes its files, twice if asked to", async () => {
    const model = await openModelFolder(modelFolder(DIFFUSERS_LAYOUT));
    model.close();
    model.close();
    await expect(model.transformer.source.read("img_in.weight")).rejects.toThrow("file is closed");
  });

  it("refuses what is no folder", async () => {
    const none = join(temporaryFolder(), "none");
    const error = await inputError(openModelFolder(none));
    expect(error.message).toBe(`Cannot open model "${none}": no such folder`);
    expect(error.hint).toContain("transformer/ and vae/");
    Deno.writeTextFileSync(none, "");
    expect(await messageOf(openModelFolder(none))).toMatch(/a model must be a folder: it is a file$/);
  });

  it("says which network is missing", async () => {
    const empty = temporaryFolder();
    const error = await inputError(openModelFolder(empty));
    expect(error.message).toBe(`Cannot open model "${empty}": folder must have a transformer: it has none`);
    expect(error.hint).toContain("flux1-dev.safetensors");
    const { "ae.safetensors": _, ...noVae } = SINGLE_FILES;
    expect(await messageOf(openModelFolder(modelFolder(noVae)))).toMatch(/must have an autoencoder: it has none$/);
    const folder = modelFolder({ ...SINGLE_FILES, "transformer/config.json": {} });
    expect(await messageOf(openModelFolder(folder))).toBe(
      `Cannot open "${join(folder, "transformer")}": folder has no .safetensors file`,
    );
  });

  it("refuses two files with the same network", async () => {
    const folder = modelFolder({ ...SINGLE_FILES, "second.safetensors": "mmdit-guidance/weights.safetensors" });
    expect(await messageOf(openModelFolder(folder))).toMatch(
      /one file must hold the transformer: "any.safetensors", "second.safetensors" do$/,
    );
  });

  it("refuses a transformer in vae/, and networks that do not fit together", async () => {
    const swapped = modelFolder({
      ...DIFFUSERS_LAYOUT,
      "vae/diffusion_pytorch_model.safetensors": "lora/lora.safetensors",
    });
    expect(await messageOf(openModelFolder(swapped))).toMatch(/tensors must be those of FLUX's autoencoder/);
    const wide = { ...DIFFUSERS_LAYOUT["transformer/config.json"], in_channels: 384 };
    expect(await messageOf(openModelFolder(modelFolder({ ...DIFFUSERS_LAYOUT, "transformer/config.json": wide }))))
      .toMatch(
        /in_channels and out_channels must be 4 times the autoencoder's z_channels \(64\): they are 384 and 384$/,
      );
  });

  it.each<[string, object, RegExp]>([
    ["an unknown key", { t_l: 0.5, licence: "" }, /keys must be known ones: it has "t_l", "licence"$/],
    ["T_L of 0", { T_L: 0 }, /T_L must be above 0 and at most 1: it is 0$/],
    ["T_L above 1", { T_L: 1.5 }, /T_L must be above 0 and at most 1: it is 1.5$/],
    ["a scale out of range", { scale: 16 }, /scale must be an integer from 1 to 8: it is 16$/],
    ["a scale that is no whole number", { scale: 2.5 }, /scale must be an integer from 1 to 8: it is 2.5$/],
    ["negative guidance", { guidance: -1 }, /guidance must be at least 0: it is -1$/],
    ["a residual in words", { residual: "yes" }, /residual must be true or false: it is "yes"$/],
    ["three token shifts", { token_shifts: 3 }, /token_shifts must be 1, 2 or 4: it is 3$/],
    ["a tile of 0", { tile: 0 }, /tile must be an integer from 1 to \d+: it is 0$/],
    ["a negative border", { border: -1 }, /border must be an integer from 0 to \d+: it is -1$/],
    ["a name that is no text", { name: 7 }, /name must be text: it is 7$/],
    [
      "a path outside",
      { lora: "../lora.safetensors" },
      /lora must be a path inside the folder: it is "..\/lora.safetensors"$/,
    ],
    ["a hidden path outside", { lora: "a/../../b" }, /lora must be a path inside the folder/],
    ["an absolute path", { conditioning: "/etc/passwd" }, /conditioning must be a path inside the folder/],
    [
      "a missing file",
      { conditioning: "text.safetensors" },
      /conditioning must name a file: there is no "text.safetensors"$/,
    ],
    ["a list", [], /contents must be a JSON object: it is \[\]$/],
  ])("refuses fluxsr.json with %s", async (_, settings, message) => {
    const folder = modelFolder({ ...DIFFUSERS_LAYOUT, "fluxsr.json": settings });
    expect(await messageOf(openModelFolder(folder))).toMatch(message);
  });
});

describe("openAutoencoderFolder()", () => {
  it("needs no transformer", async () => {
    const { "vae/config.json": config, "vae/diffusion_pytorch_model.safetensors": weights } = DIFFUSERS_LAYOUT;
    const path = modelFolder({
      "vae/config.json": config,
      "vae/diffusion_pytorch_model.safetensors": weights,
      "fluxsr.json": { T_L: 0.5 },
    });
    using folder = await openAutoencoderFolder(path);
    expect(folder.path).toBe(path);
    expect(folder.vae.config).toMatchObject({ ch: 32, z_channels: 16 });
    expect(folder.settings.T_L).toBe(0.5);
  });

  it("takes single files, and closes them", async () => {
    const folder = await openAutoencoderFolder(modelFolder({ "ae.safetensors": SINGLE_FILES["ae.safetensors"] }));
    folder.close();
    folder.close();
    await expect(folder.vae.source.read("encoder.conv_in.weight")).rejects.toThrow("file is closed");
  });

  it("refuses what is no folder, and one without an autoencoder", async () => {
    expect(await messageOf(openAutoencoderFolder("/none"))).toBe('Cannot open model "/none": no such folder');
    expect(await messageOf(openAutoencoderFolder(temporaryFolder()))).toMatch(/must have an autoencoder: it has none$/);
  });
});

describe("conditioning()", () => {
  const f32 = (shape: number[], fill = 1): TensorData => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(fill);
    return { dtype: "F32", shape, bytes: fromF32(values, "F32") };
  };

  async function conditioningOf(tensors: Record<string, TensorData>) {
    const folder = modelFolder({ ...DIFFUSERS_LAYOUT, "fluxsr.json": { conditioning: "text.safetensors" } });
    await writeSafetensors(join(folder, "text.safetensors"), Object.entries(tensors));
    using model = await openModelFolder(folder);
    return await model.conditioning();
  }

  it("is one zero token and a zero vector without a file", async () => {
    using model = await openModelFolder(modelFolder(DIFFUSERS_LAYOUT));
    expect(await model.conditioning()).toEqual({
      txt: new Float32Array(48),
      txt_shape: [1, 48],
      y: new Float32Array(32),
    });
  });

  it("comes from the file, with or without a batch axis", async () => {
    const wanted = { txt: new Float32Array(240).fill(1), txt_shape: [5, 48], y: new Float32Array(32).fill(2) };
    expect(await conditioningOf({ txt: f32([5, 48]), y: f32([32], 2) })).toEqual(wanted);
    expect(await conditioningOf({ txt: f32([1, 5, 48]), y: f32([1, 32], 2) })).toEqual(wanted);
  });

  it.each<[string, Record<string, TensorData>, RegExp]>([
    ["no y", { txt: f32([5, 48]) }, /tensor "y" is missing$/],
    [
      "no tokens",
      { txt: f32([0, 48]), y: f32([32]) },
      /^Cannot load "txt": file has \[0, 48\], model needs \[T, 48\]$/,
    ],
    ["another width", { txt: f32([5, 40]), y: f32([32]) }, /file has \[5, 40\], model needs \[T, 48\]$/],
    ["two prompts", { txt: f32([2, 5, 48]), y: f32([32]) }, /file has \[2, 5, 48\], model needs \[T, 48\]$/],
    ["another y", { txt: f32([5, 48]), y: f32([16]) }, /^Cannot load "y": file has \[16\], model needs \[32\]$/],
    [
      "NaN",
      { txt: f32([5, 48], NaN), y: f32([32]) },
      /^Cannot load "txt" of "[^"]+\.safetensors": weights must be finite: value 0 is NaN$/,
    ],
  ])("refuses %s", async (_, tensors, message) => {
    expect(await messageOf(conditioningOf(tensors))).toMatch(message);
  });
});

import { expect, test } from "vitest";
import { identifyModel } from "../../../../packages/train/data/pairs/model_hash.ts";
import { DIFFUSERS_LAYOUT, goldenConfig, modelFolder } from "../../../core/model_folder/_model.ts";

const autoencoder = { ...goldenConfig("vae"), norm_num_groups: 32 };
const SINGLE_FILES = {
  "flux.safetensors": "mmdit-guidance/weights.safetensors",
  "ae.safetensors": "vae/weights.safetensors",
  "config.json": { transformer: goldenConfig("mmdit-guidance"), autoencoder },
};

const hashOf = async (path: string) => (await identifyModel(path)).sha256;

test("a model is the same in both layouts, under another name, and with other settings", async () => {
  const first = await hashOf(modelFolder(DIFFUSERS_LAYOUT));
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(await hashOf(modelFolder({ ...DIFFUSERS_LAYOUT, "fluxsr.json": { T_L: 0.5 } }))).toBe(first);
  expect(await hashOf(modelFolder(SINGLE_FILES))).toBe(first);
});

test("it is another one if a weight or a size differs", async () => {
  const changed = modelFolder(SINGLE_FILES);
  const first = await hashOf(changed);
  const path = `${changed}/ae.safetensors`;
  const bytes = Deno.readFileSync(path);
  bytes[bytes.length - 4]! ^= 1; // the lowest bit of the last value
  Deno.writeFileSync(path, bytes);
  expect(await hashOf(changed)).not.toBe(first);
  const config = { transformer: goldenConfig("mmdit-guidance"), autoencoder: { ...autoencoder, shift_factor: 0.2 } };
  expect(await hashOf(modelFolder({ ...SINGLE_FILES, "config.json": config }))).not.toBe(first);
});

test("the name is that of the settings, or of the folder", async () => {
  const path = modelFolder(DIFFUSERS_LAYOUT);
  expect((await identifyModel(path)).name).toBe(path.split("/").at(-1));
  expect((await identifyModel(modelFolder({ ...DIFFUSERS_LAYOUT, "fluxsr.json": { name: "Mine" } }))).name).toBe(
    "Mine",
  );
});

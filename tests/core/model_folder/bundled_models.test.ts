import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { readLora } from "../../../packages/core/lora/lora_file.ts";
import { moduleShapes } from "../../../packages/core/lora/module_shapes.ts";
import { checkFinite } from "../../../packages/core/weights/check.ts";
import { isWeightDtype } from "../../../packages/core/weights/dtypes/dtype.ts";
import { openModelFolder } from "../../../packages/core/model_folder/model_folder.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";

const MODELS = fileURLToPath(new URL("../../../models", import.meta.url));
const folders = [...Deno.readDirSync(MODELS)].filter(({ name }) => existsSync(join(MODELS, name, "transformer"))).map((
  { name },
) => name).sort();

it("models/ has at least one model", () => {
  expect(folders.length).toBeGreaterThan(0);
});

it.each(folders)("models/%s opens, is finite, and its LoRA fits", async (name) => {
  using model = await openModelFolder(join(MODELS, name));
  for (const { source } of [model.transformer, model.vae]) {
    for (const [name, { dtype }] of source.tensors) {
      if (!isWeightDtype(dtype)) expect.fail(`${name} is ${dtype}`);
      checkFinite(name, { dtype, bytes: (await source.read(name)).bytes });
    }
  }
  const { source, config } = model.transformer;
  for (const [module, shape] of moduleShapes(config)) {
    expect([module, source.tensors.get(`${module}.weight`)?.shape]).toEqual([module, shape]);
  }
  const lora = model.settings.lora ?? join(model.path, "lora.safetensors");
  if (!existsSync(lora)) return;
  using file = await openWeights(lora);
  const { adapters, ignored } = await readLora(file, config);
  expect(adapters.size).toBeGreaterThan(0);
  expect(ignored).toEqual([]);
});

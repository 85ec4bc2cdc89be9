import { join } from "node:path";
import { expect, it } from "vitest";
import { autoencoderJson } from "../../../packages/core/model_folder/autoencoder_config.ts";
import { openModelFolder } from "../../../packages/core/model_folder/model_folder.ts";
import { openNetworks } from "../../../packages/core/model_folder/open_networks.ts";
import { tinyModel } from "../../e2e/_tiny_model.ts";
import { inputError, messageOf } from "../weights/_files.ts";
import { fixture } from "../weights/_quantised.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

/** A model whose sizes cannot be told from its shapes, with its config.json. */
async function smallModel() {
  const folder = temporaryFolder();
  await tinyModel(folder);
  const path = join(folder, "config.json");
  return { folder, ae: join(folder, "ae.safetensors"), path, config: JSON.parse(Deno.readTextFileSync(path)) };
}

it("reads the sizes of a single file in a config.json beside it: under its key, or as a whole in either form", async () => {
  const { folder, ae, path, config } = await smallModel();
  for (const json of [config, config.autoencoder, autoencoderJson(config.autoencoder)]) {
    Deno.writeTextFileSync(path, JSON.stringify(json));
    using networks = await openNetworks(ae);
    expect(networks.vae?.config).toEqual(config.autoencoder);
  }
  Deno.writeTextFileSync(path, JSON.stringify(config.transformer));
  using networks = await openNetworks(join(folder, "flux.safetensors"));
  expect(networks.transformer?.config).toEqual(config.transformer);
});

it("leaves a config.json of something else alone, and says what is missing", async () => {
  const { ae, path, config } = await smallModel();
  for (const json of [config.transformer, { model_type: "t5", num_heads: 4 }, []]) {
    Deno.writeTextFileSync(path, JSON.stringify(json));
    const { message, hint } = await inputError(openNetworks(ae));
    expect(message).toContain("an autoencoder without a config.json must have FLUX's 32 groups in its norms");
    expect(hint).toBe("put a config.json beside the weights that gives norm_num_groups");
  }
});

/** A GGUF file in a folder of its own whose metadata say `architecture`, of four letters, and whose tensors nothing. */
function ggufOf(architecture: string): { folder: string; path: string } {
  const folder = temporaryFolder(), path = join(folder, "model.gguf");
  const bytes = Deno.readFileSync(fixture("blocks.gguf"));
  bytes.set(new TextEncoder().encode(architecture), new TextDecoder("latin1").decode(bytes).indexOf("flux"));
  Deno.writeFileSync(path, bytes);
  return { folder, path };
}

it("names the architecture of a GGUF file that is not FLUX's", async () => {
  const { folder, path } = ggufOf("wan2");
  const { message, hint } = await inputError(openNetworks(path));
  expect(message).toBe(`Cannot load "${path}": the model must be FLUX.1: it is of architecture "wan2"`);
  expect(hint).toContain("FLUX.1-dev");
  expect(await messageOf(openModelFolder(folder))).toBe(
    `Cannot open model "${folder}": folder must have a transformer: it has none, "model.gguf" is of architecture "wan2"`,
  );
});

it("names none of a GGUF file that says it is FLUX, and takes a model beside one of another architecture", async () => {
  const { folder, path } = ggufOf("flux");
  expect(await messageOf(openNetworks(path))).toMatch(/file must hold a FLUX transformer or autoencoder/);
  expect(await messageOf(openModelFolder(folder))).toMatch(/must have a transformer: it has none$/);
  await tinyModel(folder);
  Deno.copyFileSync(ggufOf("llam").path, join(folder, "text.gguf"));
  (await openModelFolder(folder)).close();
});

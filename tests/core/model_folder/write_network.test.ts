import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { autoencoderJson, parseAutoencoderConfig } from "../../../packages/core/model_folder/autoencoder_config.ts";
import { openAutoencoderFolder } from "../../../packages/core/model_folder/model_folder.ts";
import type { TensorData } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { plainTensor } from "../../../packages/core/weights/plain_tensor.ts";
import { writeNetwork } from "../../../packages/core/model_folder/write_network.ts";
import { golden, messageOf } from "../weights/_files.ts";
import { goldenConfig } from "./_model.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

/** The golden autoencoder as it is stored. */
async function goldenAutoencoder() {
  using source = await openWeights(golden("vae/weights.safetensors"));
  const tensors: [string, TensorData][] = [];
  for (const name of source.tensors.keys()) tensors.push([name, await plainTensor(source, name)]);
  return { config: parseAutoencoderConfig("case.json", goldenConfig("vae")), tensors };
}

describe("writeNetwork()", () => {
  it("writes what openAutoencoderFolder() reads, also over an earlier one", async () => {
    const { config, tensors } = await goldenAutoencoder();
    const folder = join(temporaryFolder(), "a", "b");
    const write = () => writeNetwork(join(folder, "vae"), { config: autoencoderJson(config), tensors });
    const paths = await write();
    expect(await write()).toEqual(paths);
    expect([...Deno.readDirSync(join(folder, "vae"))].map(({ name }) => join(folder, "vae", name)).sort())
      .toEqual([...paths].sort());

    using opened = await openAutoencoderFolder(folder);
    expect(opened.vae.config).toEqual(config);
    for (const [name, tensor] of tensors) expect(await opened.vae.source.read(name)).toEqual(tensor);
  });

  it("refuses a folder that is a file", async () => {
    const path = join(temporaryFolder(), "file");
    Deno.writeTextFileSync(path, "");
    expect(await messageOf(writeNetwork(path, { config: {}, tensors: [] }))).toMatch(/^Cannot write ".*file"/);
  });
});

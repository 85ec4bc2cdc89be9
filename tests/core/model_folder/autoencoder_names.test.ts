import { describe, expect, it } from "vitest";
import { autoencoderNames, isAutoencoder } from "../../../packages/core/model_folder/autoencoder_names.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { golden, messageOf } from "../weights/_files.ts";
import { memorySource, type TestTensor } from "../weights/_memory_source.ts";

const CONV_IN = { "encoder.conv_in.weight": { shape: [4, 3, 3, 3] } };

/** The names that `autoencoderNames()` makes of these. */
function renamed(...names: string[]): string[] {
  const tensors: Record<string, TestTensor> = Object.fromEntries(names.map((name) => [name, { shape: [2, 2] }]));
  const result = autoencoderNames(memorySource({ ...CONV_IN, ...tensors }));
  return [...result.tensors.keys()].filter((name) => name !== "encoder.conv_in.weight");
}

describe("autoencoderNames()", () => {
  it("makes the golden diffusers file the BFL one, bit for bit", async () => {
    using diffusers = await openWeights(golden("vae-diffusers/weights.diffusers.safetensors"));
    using bfl = await openWeights(golden("vae/weights.safetensors"));
    const source = autoencoderNames(diffusers);
    expect(autoencoderNames(bfl)).toBe(bfl);
    expect([...source.tensors.keys()].sort()).toEqual([...bfl.tensors.keys()].sort());
    for (const name of bfl.tensors.keys()) expect(await source.read(name)).toEqual(await bfl.read(name));
  });

  it("counts up levels from the other end, however many there are", () => {
    expect(renamed("decoder.up_blocks.0.resnets.0.conv1.bias", "decoder.up_blocks.4.resnets.1.conv_shortcut.weight"))
      .toEqual(["decoder.up.4.block.0.conv1.bias", "decoder.up.0.block.1.nin_shortcut.weight"]);
    expect(renamed("decoder.up_blocks.0.upsamplers.0.conv.weight")).toEqual(["decoder.up.0.upsample.conv.weight"]);
  });

  it("makes attention's linear weights 1x1 convolutions, and leaves those that are", () => {
    const name = "decoder.mid_block.attentions.0.to_out.0.weight";
    for (const shape of [[2, 2], [2, 2, 1, 1]]) {
      const source = autoencoderNames(memorySource({ ...CONV_IN, [name]: { shape } }));
      expect(source.tensors.get("decoder.mid.attn_1.proj_out.weight")!.shape).toEqual([2, 2, 1, 1]);
    }
  });

  it("takes a prefix away, and tensors without it", () => {
    const tensors = { "vae.encoder.conv_in.weight": { shape: [1] }, "img_in.weight": { shape: [1] } };
    const source = memorySource(tensors);
    expect(isAutoencoder(source.tensors)).toBe(true);
    expect([...autoencoderNames(source).tensors.keys()]).toEqual(["encoder.conv_in.weight"]);
  });

  it("refuses what is no autoencoder", async () => {
    const other = memorySource({ a: { shape: [] } });
    expect(isAutoencoder(other.tensors)).toBe(false);
    expect(await messageOf(() => autoencoderNames(other))).toBe(
      `Cannot load "memory": tensors must be those of FLUX's autoencoder: file has "a"`,
    );
  });

  it("refuses quant convolutions, in both namings", async () => {
    for (const name of ["quant_conv.weight", "post_quant_conv.bias"]) {
      const source = memorySource({ ...CONV_IN, [name]: { shape: [1] } });
      expect(await messageOf(() => autoencoderNames(source))).toBe(
        `Cannot load "memory": FLUX's autoencoder has no quant convolutions: file has "${name}"`,
      );
    }
  });

  it("refuses a name in both namings", async () => {
    const message = await messageOf(() =>
      renamed("encoder.norm_out.bias", "encoder.mid_block.x", "encoder.conv_norm_out.bias")
    );
    expect(message).toMatch(/names must be distinct: "encoder.norm_out.bias", "encoder.conv_norm_out.bias" are both/);
  });
});

import { describe, expect, it } from "vitest";
import {
  autoencoderJson,
  inferAutoencoderConfig,
  parseAutoencoderConfig,
} from "../../../packages/core/model_folder/autoencoder_config.ts";
import { autoencoderNames } from "../../../packages/core/model_folder/autoencoder_names.ts";
import { FLUX_AUTOENCODER } from "../../../packages/core/model_folder/configs.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { golden, inputError, messageOf } from "../weights/_files.ts";
import { memorySource } from "../weights/_memory_source.ts";

/** vae/config.json of black-forest-labs/FLUX.1-dev. */
const DIFFUSERS = {
  _class_name: "AutoencoderKL",
  act_fn: "silu",
  block_out_channels: [128, 256, 512, 512],
  in_channels: 3,
  latent_channels: 16,
  layers_per_block: 2,
  norm_num_groups: 32,
  out_channels: 3,
  sample_size: 1024,
  scaling_factor: 0.3611,
  shift_factor: 0.1159,
  use_quant_conv: false,
};

const parse = (json: unknown) => parseAutoencoderConfig("config.json", json);

describe("parseAutoencoderConfig()", () => {
  it("reads BFL's fields, with what may be left out", () => {
    expect(parse(FLUX_AUTOENCODER)).toEqual(FLUX_AUTOENCODER);
    const { resolution: _r, in_channels: _i, out_ch: _o, norm_num_groups: _n, ...few } = FLUX_AUTOENCODER;
    expect(parse(few)).toEqual(FLUX_AUTOENCODER);
  });

  it("reads diffusers' fields; no shift means 0", () => {
    expect(parse(DIFFUSERS)).toEqual({ ...FLUX_AUTOENCODER, resolution: 1024 });
    expect(parse({ ...DIFFUSERS, shift_factor: null }).shift_factor).toBe(0);
  });

  it("reads what autoencoderJson() writes", () => {
    const config = { ...FLUX_AUTOENCODER, in_channels: 1, out_ch: 2, ch: 24, num_res_blocks: 3, norm_num_groups: 8 };
    expect(parse(autoencoderJson(config))).toEqual(config);
  });

  it.each<[string, unknown, string]>([
    [
      "groups that do not divide",
      { ...FLUX_AUTOENCODER, ch: 16 },
      "norm_num_groups must be a divisor of every level's channels, one has 16: it is 32",
    ],
    [
      "no scale",
      { ...FLUX_AUTOENCODER, scale_factor: undefined },
      "scale_factor must be a number other than 0: it is missing",
    ],
    ["a scale of 0", { ...FLUX_AUTOENCODER, scale_factor: 0 }, "scale_factor must be a number other than 0: it is 0"],
    ["text for a shift", { ...FLUX_AUTOENCODER, shift_factor: "0" }, `shift_factor must be a number: it is "0"`],
    [
      "no levels",
      { ...FLUX_AUTOENCODER, ch_mult: [] },
      "ch_mult must be a list of 1 to 16 integers from 1 to 1048576: it is []",
    ],
    [
      "absurdly many blocks",
      { ...FLUX_AUTOENCODER, num_res_blocks: 1e6 },
      "num_res_blocks must be an integer from 1 to 1024: it is 1000000",
    ],
    ["an unknown key", { ...FLUX_AUTOENCODER, groups: 8 }, `keys must be known ones: it has "groups"`],
    [
      "uneven channels",
      { ...DIFFUSERS, block_out_channels: [128, 192] },
      "block_out_channels must be multiples of its first number: it is [128, 192]",
    ],
    [
      "another network",
      { ...DIFFUSERS, _class_name: "AutoencoderTiny" },
      `_class_name must be "AutoencoderKL": it is "AutoencoderTiny"`,
    ],
  ])("refuses %s", async (_, json, rule) => {
    expect(await messageOf(() => parse(json))).toBe(`Cannot read "config.json": ${rule}`);
  });
});

describe("inferAutoencoderConfig()", () => {
  it("knows all sizes from shapes, in both namings", async () => {
    for (const path of ["vae/weights.safetensors", "vae-diffusers/weights.diffusers.safetensors"]) {
      using source = await openWeights(golden(path));
      expect(inferAutoencoderConfig(autoencoderNames(source))).toEqual({
        ...FLUX_AUTOENCODER,
        ch: 32,
        ch_mult: [1, 1, 1, 2],
        num_res_blocks: 1,
      });
    }
  });

  it("asks for a config where FLUX's groups do not divide, and names a missing tensor", async () => {
    const tensors = {
      "encoder.conv_in.weight": { shape: [16, 3, 3, 3] },
      "encoder.down.0.block.0.conv1.weight": { shape: [16, 16, 3, 3] },
      "encoder.conv_out.weight": { shape: [32, 16, 3, 3] },
      "decoder.conv_out.weight": { shape: [3, 16, 3, 3] },
    };
    const error = await inputError(() => inferAutoencoderConfig(memorySource(tensors)));
    expect(error.message).toMatch(/must have FLUX's 32 groups .*: it has 16 channels$/);
    expect(error.hint).toContain("norm_num_groups");
    const { "decoder.conv_out.weight": _, ...others } = tensors;
    expect(await messageOf(() => inferAutoencoderConfig(memorySource(others)))).toBe(
      `Cannot load "memory": tensor "decoder.conv_out.weight" is missing`,
    );
  });
});

import { describe, expect, it } from "vitest";
import { FLUX_DEV } from "../../../packages/core/model_folder/configs.ts";
import { inferMmditConfig, parseMmditConfig } from "../../../packages/core/model_folder/mmdit_config.ts";
import { mmditNames } from "../../../packages/core/model_folder/mmdit_names.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { golden, inputError, messageOf } from "../weights/_files.ts";
import { memorySource, type TestTensor } from "../weights/_memory_source.ts";

/** transformer/config.json of black-forest-labs/FLUX.1-dev. */
const DIFFUSERS_DEV = {
  _class_name: "FluxTransformer2DModel",
  _diffusers_version: "0.30.0.dev0",
  attention_head_dim: 128,
  guidance_embeds: true,
  in_channels: 64,
  joint_attention_dim: 4096,
  num_attention_heads: 24,
  num_layers: 19,
  num_single_layers: 38,
  patch_size: 1,
  pooled_projection_dim: 768,
};

const parse = (json: unknown) => parseMmditConfig("config.json", json);

describe("parseMmditConfig()", () => {
  it("reads BFL's fields, with what may be left out", () => {
    expect(parse(FLUX_DEV)).toEqual(FLUX_DEV);
    const { out_channels: _o, mlp_ratio: _m, theta: _t, qkv_bias: _q, ...few } = FLUX_DEV;
    expect(parse({ ...few, _comment: "text" })).toEqual(FLUX_DEV);
  });

  it("reads diffusers' fields, with what may be left out or null", () => {
    expect(parse(DIFFUSERS_DEV)).toEqual(FLUX_DEV);
    expect(parse({ ...DIFFUSERS_DEV, out_channels: null, axes_dims_rope: [16, 56, 56] })).toEqual(FLUX_DEV);
    expect(parse({ _class_name: "FluxTransformer2DModel" })).toEqual({ ...FLUX_DEV, guidance_embed: false });
    expect(parse({ ...DIFFUSERS_DEV, out_channels: 16, attention_head_dim: 8, axes_dims_rope: [2, 2, 4] }))
      .toMatchObject({ out_channels: 16, hidden_size: 192, axes_dim: [2, 2, 4] });
  });

  it.each<[string, unknown, string]>([
    ["a list", [], "contents must be a JSON object: it is []"],
    ["a missing field", { ...FLUX_DEV, depth: undefined }, "depth must be an integer from 0 to 1024: it is missing"],
    [
      "text for a number",
      { ...FLUX_DEV, in_channels: "64" },
      `in_channels must be an integer from 1 to 1048576: it is "64"`,
    ],
    ["no channels", { ...FLUX_DEV, vec_in_dim: 0 }, "vec_in_dim must be an integer from 1 to 1048576: it is 0"],
    [
      "an absurd size",
      { ...FLUX_DEV, context_in_dim: 1e15 },
      "context_in_dim must be an integer from 1 to 1048576: it is 1000000000000000",
    ],
    [
      "an absurd depth",
      { ...FLUX_DEV, depth_single_blocks: 1e6 },
      "depth_single_blocks must be an integer from 0 to 1024: it is 1000000",
    ],
    ["text for a switch", { ...FLUX_DEV, guidance_embed: "yes" }, `guidance_embed must be true or false: it is "yes"`],
    [
      "axes that are no list",
      { ...FLUX_DEV, axes_dim: 128 },
      "axes_dim must be a list of 1 to 16 integers from 1 to 1048576: it is 128",
    ],
    [
      "two axes",
      { ...FLUX_DEV, axes_dim: [64, 64] },
      "axes_dim must be three numbers: it is [64, 64]",
    ],
    [
      "axes of another sum",
      { ...FLUX_DEV, axes_dim: [16, 56, 54] },
      "axes_dim must be numbers whose sum is the size of a head (128): it is [16, 56, 54]",
    ],
    ["odd axes", { ...FLUX_DEV, axes_dim: [16, 55, 57] }, "axes_dim must be even numbers: it is [16, 55, 57]"],
    [
      "heads that do not divide",
      { ...FLUX_DEV, num_heads: 7 },
      "hidden_size must be a multiple of num_heads (7): it is 3072",
    ],
    [
      "a fractional MLP",
      { ...FLUX_DEV, mlp_ratio: 0.0001 },
      "mlp_ratio must be such that hidden_size (3072) times it is at least 1: it is 0.0001",
    ],
    ["a negative theta", { ...FLUX_DEV, theta: -1 }, "theta must be above 0: it is -1"],
    ["an unknown key", { ...FLUX_DEV, hidden: 1 }, `keys must be known ones: it has "hidden"`],
    [
      "another network",
      { ...DIFFUSERS_DEV, _class_name: "SD3Transformer2DModel" },
      `_class_name must be "FluxTransformer2DModel": it is "SD3Transformer2DModel"`,
    ],
    ["other patches", { ...DIFFUSERS_DEV, patch_size: 2 }, "patch_size must be 1: it is 2"],
    [
      "diffusers axes of another sum",
      { ...DIFFUSERS_DEV, attention_head_dim: 64 },
      "axes_dims_rope must be numbers whose sum is the size of a head (64): it is missing",
    ],
  ])("refuses %s", async (_, json, rule) => {
    expect(await messageOf(() => parse(json))).toBe(`Cannot read "config.json": ${rule}`);
  });

  it("names the known keys in the hint", async () => {
    expect((await inputError(() => parse({ x: 1 }))).hint).toContain("hidden_size");
  });
});

describe("inferMmditConfig()", () => {
  /** A transformer with heads of 128 channels: only what is looked at. */
  const TENSORS: Record<string, TestTensor> = {
    "img_in.weight": { shape: [256, 64] },
    "txt_in.weight": { shape: [256, 48] },
    "vector_in.in_layer.weight": { shape: [256, 32] },
    "guidance_in.in_layer.weight": { shape: [256, 256] },
    "double_blocks.0.img_attn.qkv.bias": { shape: [768] },
    "double_blocks.0.img_attn.norm.query_norm.scale": { shape: [128] },
    "double_blocks.0.img_mlp.0.weight": { shape: [768, 256] },
    "double_blocks.1.img_mlp.0.weight": { shape: [768, 256] },
    "single_blocks.4.linear1.weight": { shape: [1536, 256] },
    "final_layer.linear.weight": { shape: [16, 256] },
  };
  const infer = (tensors: Record<string, TestTensor>) => inferMmditConfig(memorySource(tensors));

  it("knows all sizes from shapes", () => {
    expect(infer(TENSORS)).toEqual({
      ...FLUX_DEV,
      out_channels: 16,
      vec_in_dim: 32,
      context_in_dim: 48,
      hidden_size: 256,
      mlp_ratio: 3,
      num_heads: 2,
      depth: 2,
      depth_single_blocks: 5,
    });
  });

  it("knows a model without double blocks, guidance and bias", () => {
    const { "guidance_in.in_layer.weight": _, ...others } = TENSORS;
    const single = Object.fromEntries(Object.entries(others).filter(([name]) => !name.startsWith("double")));
    expect(infer({
      ...single,
      "single_blocks.0.norm.query_norm.scale": { shape: [128] },
      "single_blocks.0.linear1.weight": { shape: [768 + 512, 256] },
    })).toMatchObject({ depth: 0, mlp_ratio: 2, guidance_embed: false, qkv_bias: true });
  });

  it("asks for a config where the heads are not FLUX's", async () => {
    using source = await openWeights(golden("mmdit-guidance/weights.safetensors"));
    const error = await inputError(() => inferMmditConfig(mmditNames(source)));
    expect(error.message).toMatch(/must have heads of 128 channels: it has 64 channels in heads of 16$/);
    expect(error.hint).toContain("config.json");
  });

  it("names a tensor that is missing or empty", async () => {
    const { "txt_in.weight": _, ...others } = TENSORS;
    expect(await messageOf(() => infer(others))).toBe(`Cannot load "memory": tensor "txt_in.weight" is missing`);
    expect(await messageOf(() => infer({ ...TENSORS, "txt_in.weight": { shape: [256] } }))).toBe(
      `Cannot load "txt_in.weight": size 1 must be above 0: file has [256]`,
    );
  });
});

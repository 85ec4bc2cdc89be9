import { Autoencoder, Mmdit, type Module } from "@fluxsr/core";
import { read } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { initialise } from "../../packages/train/init.ts";
import { gpu } from "../helpers/gpu.ts";

const AUTOENCODER = {
  resolution: 64,
  in_channels: 3,
  ch: 8,
  out_ch: 3,
  ch_mult: [1, 2],
  num_res_blocks: 1,
  z_channels: 4,
  scale_factor: 1,
  shift_factor: 0,
  norm_num_groups: 4,
};
const TRANSFORMER = {
  in_channels: 16,
  out_channels: 16,
  vec_in_dim: 6,
  context_in_dim: 5,
  hidden_size: 24,
  mlp_ratio: 2,
  num_heads: 2,
  depth: 1,
  depth_single_blocks: 1,
  axes_dim: [4, 4, 4],
  theta: 10_000,
  qkv_bias: true,
  guidance_embed: false,
};

/** All new weights by name. */
async function initialised(module: Module, seed = 1): Promise<Map<string, Float32Array>> {
  await initialise(gpu, module, { seed });
  const parameters = [...module.parameters()];
  const values = await read(...parameters.map(([, { tensor }]) => tensor));
  module.dispose();
  return new Map(parameters.map(([name], i) => [name, values[i]!]));
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

describe("initialise()", () => {
  test("convolutions are uniform in +-1 / sqrt(fan_in), norms change nothing", async () => {
    const weights = await initialised(new Autoencoder(AUTOENCODER));
    const kernel = weights.get("encoder.mid.block_1.conv1.weight")!;
    const bound = 1 / Math.sqrt(16 * 9);
    expect(largest(kernel)).toBeLessThanOrEqual(Math.fround(bound));
    const variance = kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length;
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    const bias = weights.get("encoder.mid.block_1.conv1.bias")!;
    expect(largest(bias)).toBeGreaterThan(bound / 2);
    expect(largest(bias)).toBeLessThanOrEqual(Math.fround(bound));
    expect(new Set(weights.get("decoder.norm_out.weight"))).toEqual(new Set([1]));
    expect(new Set(weights.get("decoder.norm_out.bias"))).toEqual(new Set([0]));
  });

  test("an autoencoder passes pictures on at their size, beside constants: its residual branches are zero", async () => {
    const weights = await initialised(new Autoencoder(AUTOENCODER));
    for (const [name, values] of weights) {
      if (/\.(conv2|proj_out)\./.test(name)) expect([name, ...new Set(values)]).toEqual([name, 0]);
      if (/\.(downsample\.conv|nin_shortcut)\.bias$/.test(name)) expect([...values.slice(0, 2)]).toEqual([1, -1]);
    }
    expect(largest(weights.get("decoder.conv_in.weight")!)).toBeGreaterThan(
      Math.sqrt(2 / (9 * AUTOENCODER.z_channels)),
    );
  });

  test("the posterior of an autoencoder is narrow at first, and the same everywhere", async () => {
    const weights = await initialised(new Autoencoder(AUTOENCODER));
    const [weight, bias] = ["weight", "bias"].map((name) => weights.get(`encoder.conv_out.${name}`)!);
    const outputs = bias!.length; // the last axis
    for (const [values, fill] of [[weight!, 0], [bias!, -8]] as const) {
      const isLogVariance = (i: number) => i % outputs >= outputs / 2;
      expect(largest(values.filter((_, i) => !isLogVariance(i)))).toBeGreaterThan(0.01);
      expect(new Set(values.filter((_, i) => isLogVariance(i)))).toEqual(new Set([fill]));
    }
  });

  test("modulations and the last layer of a transformer are zero, all else is not", async () => {
    const weights = await initialised(new Mmdit(TRANSFORMER));
    const zero = [...weights].filter(([, values]) => largest(values) === 0).map(([name]) => name);
    const modules = [
      "double_blocks.0.img_mod.lin",
      "double_blocks.0.txt_mod.lin",
      "single_blocks.0.modulation.lin",
      "final_layer.linear",
      "final_layer.adaLN_modulation.1",
    ];
    expect(zero).toEqual(modules.flatMap((module) => [`${module}.weight`, `${module}.bias`]));
    expect(new Set(weights.get("single_blocks.0.norm.key_norm.scale"))).toEqual(new Set([1]));
    expect(largest(weights.get("img_in.weight")!)).toBeLessThanOrEqual(1 / 4);
  });

  test("gives the same for the same seed only", async () => {
    const [first, again, other] = [
      await initialised(new Autoencoder(AUTOENCODER), 1),
      await initialised(new Autoencoder(AUTOENCODER), 1),
      await initialised(new Autoencoder(AUTOENCODER), 2),
    ];
    expect(again).toEqual(first);
    expect(other.get("encoder.conv_in.weight")).not.toEqual(first.get("encoder.conv_in.weight"));
  });
});

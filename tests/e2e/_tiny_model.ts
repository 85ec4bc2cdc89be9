/** A model that trains in milliseconds a step. */
import { join } from "node:path";
import {
  Autoencoder,
  type AutoencoderConfig,
  fromF32,
  Mmdit,
  type MmditConfig,
  type Module,
  writeSafetensors,
} from "@fluxsr/core";
import { randomOf } from "../../packages/train/random.ts";

const TRANSFORMER: MmditConfig = {
  in_channels: 16,
  out_channels: 16,
  vec_in_dim: 4,
  context_in_dim: 4,
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

const AUTOENCODER: AutoencoderConfig = {
  resolution: 32,
  in_channels: 3,
  ch: 8,
  out_ch: 3,
  ch_mult: [1, 1],
  num_res_blocks: 1,
  z_channels: 4,
  scale_factor: 1,
  shift_factor: 0,
  norm_num_groups: 4,
};

/** Writes a model of random weights to the folder `to`; another `seed`, another model. `sizes` are others than usual. */
export async function tinyModel(
  to: string,
  { seed = 1, sizes = {}, dtype = "F32" }: {
    seed?: number;
    sizes?: Partial<MmditConfig>;
    /** Of the transformer. */
    dtype?: "F32" | "BF16";
  } = {},
): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  const transformer = { ...TRANSFORMER, ...sizes };
  await write(join(to, "flux.safetensors"), new Mmdit(transformer), { seed, dtype });
  await write(join(to, "ae.safetensors"), new Autoencoder(AUTOENCODER), { seed, dtype: "F32" });
  const config = { transformer, autoencoder: AUTOENCODER };
  await Deno.writeTextFile(join(to, "config.json"), JSON.stringify(config));
}

async function write(
  path: string,
  module: Module,
  { seed, dtype }: { seed: number; dtype: "F32" | "BF16" },
): Promise<void> {
  const tensors = [...module.parameters()].map(([name, { shape }]) => {
    const random = randomOf(seed, name);
    const inputs = shape.slice(1).reduce((product, size) => product * size, 1);
    const isScale = shape.length === 1 && !name.endsWith("bias");
    const values = Float32Array.from(
      { length: shape.reduce((product, size) => product * size, 1) },
      () => isScale ? 1 : random.normal() / Math.sqrt(inputs) / 2,
    );
    return [name, { dtype, shape, bytes: fromF32(values, dtype) }] as const;
  });
  await writeSafetensors(path, tensors);
}

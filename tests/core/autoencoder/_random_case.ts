import { expect } from "vitest";
import { Autoencoder } from "../../../packages/core/autoencoder/autoencoder.ts";
import type { AutoencoderConfig } from "../../../packages/core/model_folder/configs.ts";
import { random } from "../../helpers/gpu.ts";
import { autoencoder, type Plane } from "../../reference/autoencoder.ts";
import { type Named, randomWeights, watched } from "../nn/_random_weights.ts";

/** An autoencoder's settings with small numbers. */
export function smallConfig(parts: Partial<AutoencoderConfig>): AutoencoderConfig {
  return {
    resolution: 32,
    in_channels: 3,
    ch: 8,
    out_ch: 3,
    ch_mult: [1, 2],
    num_res_blocks: 1,
    z_channels: 4,
    scale_factor: 0.7,
    shift_factor: 0.2,
    norm_num_groups: 4,
    ...parts,
  };
}

/** Random weights, pictures and latents of `height` x `width` [B, C, h, w], and what the reference makes of them. */
export function randomCase(
  config: AutoencoderConfig,
  { batch, height, width }: { batch: number; height: number; width: number },
): { weights: Named; io: Named; expected: Named } {
  const factor = 2 ** (config.ch_mult.length - 1);
  const imageShape = [batch, config.in_channels, height * factor, width * factor] as const;
  const latentShape = [batch, config.z_channels, height, width] as const;
  const io: Named = new Map([
    ["image", { shape: imageShape, values: random(imageShape, 1) }],
    ["z", { shape: latentShape, values: random(latentShape, 2) }],
  ]);
  const plane = (name: string, sample: number): Plane => {
    const { shape: [, channels = 0, height = 0, width = 0], values } = io.get(name)!;
    const size = channels * height * width;
    return { channels, height, width, values: [...values.subarray(sample * size, (sample + 1) * size)] };
  };

  const all = randomWeights(new Autoencoder(config));
  const { weights, used } = watched(all);
  const samples = Array.from({ length: batch }, (_, sample) => {
    const results = new Map<string, Plane>();
    const { encode, decode } = autoencoder(config, weights, results);
    encode(plane("image", sample));
    decode(plane("z", sample));
    return results;
  });
  expect([...used].sort()).toEqual([...all.keys()].sort());
  const expected: Named = new Map([...samples[0]!].map(([name, { channels, height, width }]) => {
    const values = Float32Array.from(samples.flatMap((sample) => sample.get(name)!.values));
    return [name, { shape: [batch, channels, height, width], values }];
  }));
  return { weights: all, io, expected };
}

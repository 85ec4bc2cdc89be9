import { expect } from "vitest";
import { Mmdit } from "../../../packages/core/mmdit/mmdit.ts";
import type { MmditConfig } from "../../../packages/core/model_folder/configs.ts";
import { random } from "../../helpers/gpu.ts";
import { mmdit, type Weights } from "../../reference/mmdit.ts";
import { type Named, randomWeights, watched } from "../nn/_random_weights.ts";

/** Sizes of {@linkcode randomCase}. */
export interface Sizes {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  /** Of the text. */
  readonly tokens: number;
}

/** A transformer's settings with small numbers that differ from each other; head size is the sum of `axes_dim`. */
export function smallConfig({ num_heads, axes_dim, ...rest }: Partial<MmditConfig>): MmditConfig {
  const axes = axes_dim ?? [2, 4, 4];
  return {
    in_channels: 12,
    out_channels: 8,
    vec_in_dim: 5,
    context_in_dim: 9,
    mlp_ratio: 2,
    depth: 1,
    depth_single_blocks: 1,
    theta: 10_000,
    qkv_bias: true,
    guidance_embed: false,
    ...rest,
    axes_dim: axes,
    num_heads: num_heads ?? 3,
    hidden_size: (num_heads ?? 3) * axes.reduce((sum, size) => sum + size, 0),
  };
}

/** Random weights and inputs, positions that differ between samples, and what the reference makes of them. */
export function randomCase(
  config: MmditConfig,
  { batch, rows, columns, tokens }: Sizes,
): { weights: Named; io: Named; expected: Named } {
  const io: Named = new Map();
  const add = (name: string, shape: readonly number[], values: Float32Array<ArrayBuffer>) =>
    io.set(name, { shape, values });
  const count = rows * columns;
  const imgIds = Array.from({ length: batch * count }, (_, i) => {
    const [sample, token] = [Math.floor(i / count), i % count];
    return [sample, Math.floor(token / columns) + 5 * sample, token % columns - 2 * sample];
  });
  const txtIds = Array.from({ length: batch * tokens }, (_, i) => [0, Math.floor(i / tokens), 0]);
  add("img", [batch, count, config.in_channels], random([batch, count, config.in_channels], 1));
  add("img_ids", [batch, count, 3], Float32Array.from(imgIds.flat()));
  add("txt", [batch, tokens, config.context_in_dim], random([batch, tokens, config.context_in_dim], 2));
  add("txt_ids", [batch, tokens, 3], Float32Array.from(txtIds.flat()));
  add("timesteps", [batch], Float32Array.from({ length: batch }, (_, i) => 0.9 - 0.31 * i));
  add("y", [batch, config.vec_in_dim], random([batch, config.vec_in_dim], 3));
  if (config.guidance_embed) add("guidance", [batch], Float32Array.from({ length: batch }, (_, i) => 3.5 - i));

  const weights = randomWeights(new Mmdit(config));
  const { weights: watch, used } = watched(weights);
  const expected = referenceResults(config, watch, io);
  expect([...used].sort()).toEqual([...weights.keys()].sort());
  return { weights, io, expected };
}

/** What the reference makes of the inputs in `io`, all samples together. */
export function referenceResults(config: MmditConfig, weights: Weights, io: Named): Named {
  const [batch = 0] = io.get("img")!.shape;
  const samples = Array.from({ length: batch }, (_, sample) => {
    const rowsOf = (name: string): number[][] => {
      const { shape, values } = io.get(name)!;
      const [length, width] = shape.length === 2 ? [1, shape[1]!] : [shape[1]!, shape[2]!];
      const start = sample * length * width;
      return Array.from({ length }, (_, i) => [...values.subarray(start + i * width, start + (i + 1) * width)]);
    };
    return mmdit(config, weights, {
      img: rowsOf("img"),
      img_ids: rowsOf("img_ids"),
      txt: rowsOf("txt"),
      txt_ids: rowsOf("txt_ids"),
      y: rowsOf("y").flat(),
      timestep: io.get("timesteps")!.values[sample]!,
      guidance: io.get("guidance")?.values[sample],
    });
  });
  return new Map([...samples[0]!].map(([name, rows]) => {
    const shape = name === "vec" ? [batch, rows[0]!.length] : [batch, rows.length, rows[0]!.length];
    return [name, { shape, values: Float32Array.from(samples.flatMap((sample) => sample.get(name)!.flat())) }];
  }));
}

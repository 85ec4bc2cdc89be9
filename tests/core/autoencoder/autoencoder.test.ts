import { read, scoped, type Tensor, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { Autoencoder } from "../../../packages/core/autoencoder/autoencoder.ts";
import { loadModule } from "../../../packages/core/nn/load.ts";
import { permuted } from "../../../packages/core/nn/permuted.ts";
import type { AutoencoderConfig } from "../../../packages/core/model_folder/configs.ts";
import { expectClose, F32, gpu, random, scaledError } from "../../helpers/gpu.ts";
import { type Named, sourceOf } from "../nn/_random_weights.ts";
import { randomCase, smallConfig } from "./_random_case.ts";

/** One, two, three and four levels, odd latents that are not square, groups of one channel and of all. */
const CASES:
  readonly (readonly [string, Partial<AutoencoderConfig>, [batch: number, height: number, width: number]])[] = [
    ["one level", { ch_mult: [1] }, [1, 5, 3]],
    ["two levels", {}, [2, 3, 7]],
    ["three levels, the second the widest", { ch_mult: [1, 3, 2], z_channels: 3 }, [1, 3, 1]],
    ["four levels and two blocks", { ch_mult: [1, 1, 2, 1], num_res_blocks: 2, ch: 4 }, [1, 3, 5]],
    ["groups of one channel", { ch: 6, norm_num_groups: 6, out_ch: 1, in_channels: 2 }, [3, 1, 3]],
    ["one group, channels that are no multiple of 4", { ch: 3, norm_num_groups: 1, ch_mult: [1, 2] }, [1, 5, 3]],
  ];

async function load(config: AutoencoderConfig, [batch, height, width]: readonly [number, number, number]) {
  const { weights, io, expected } = randomCase(config, { batch, height, width });
  const network = new Autoencoder(config);
  await loadModule(gpu, network, { source: sourceOf(weights), precision: "f32" });
  return { network, io, expected };
}

/** `[B, C, h, w]` values as a tensor `[B, h, w, C]`. */
function upload(io: Named, name: string): Tensor {
  const { shape, values } = io.get(name)!;
  const axes = [0, 2, 3, 1];
  return tensor(gpu, permuted(values, shape, axes), axes.map((axis) => shape[axis]!));
}

describe.each(CASES)("Autoencoder with %s", (_, parts, size) => {
  test("equals the reference in every intermediate value", async () => {
    const { network, io, expected } = await load(smallConfig(parts), size);
    const seen = new Map<string, Tensor>();
    const observe = (name: string, [tile]: readonly Tensor[]) => void seen.set(name, tile!.retain());
    scoped(gpu, () => {
      observe("latent", network.encode([upload(io, "image")], { observe }));
      observe("decoded", network.decode([upload(io, "z")], { observe }));
    });
    expect([...seen.keys()].sort()).toEqual([...expected.keys()].sort());
    const values = await read(...seen.values());
    [...seen].forEach(([name, { shape }], i) => {
      const wanted = expected.get(name)!;
      const actual = permuted(values[i]!, shape, [0, 3, 1, 2]);
      expect([name, [0, 3, 1, 2].map((axis) => shape[axis])]).toEqual([name, wanted.shape]);
      expect([name, scaledError(actual, wanted.values) < F32]).toEqual([name, true]);
    });
    for (const value of seen.values()) value.release();
    network.dispose();
  });
});

test("encode() with noise samples the posterior: scale (mean + exp(logvar / 2) noise - shift)", async () => {
  const config = smallConfig({});
  const { network, io, expected } = await load(config, [2, 3, 1]);
  const moments = expected.get("moments")!;
  const [batch = 0, channels = 0, height = 0, width = 0] = moments.shape;
  const noise = random([batch, channels / 2, height, width], 7);
  const half = noise.length / batch;
  const wanted = noise.map((value, i) => {
    const at = Math.floor(i / half) * 2 * half + i % half;
    const deviation = Math.exp(Math.min(20, Math.max(-30, moments.values[at + half]!)) / 2);
    return config.scale_factor * (moments.values[at]! + deviation * value - config.shift_factor);
  });
  const shape = [batch, channels / 2, height, width];
  io.set("noise", { shape, values: noise });
  const [z] = network.encode([upload(io, "image")], { noise: [upload(io, "noise")] });
  await expectClose(z!, permuted(wanted, shape, [0, 2, 3, 1]));
  network.dispose();
});

test("factor and widest follow the levels", () => {
  const network = new Autoencoder(smallConfig({ ch: 8, ch_mult: [1, 3, 4, 4] }));
  expect(network.factor).toBe(8);
  expect(network.widest).toBe(24);
  expect(new Autoencoder(smallConfig({ ch_mult: [1] })).factor).toBe(1);
});

test("encode() and decode() leave nothing on the GPU but their results", async () => {
  const { network, io } = await load(smallConfig({}), [1, 3, 3]);
  const [image, z] = [upload(io, "image"), upload(io, "z")];
  const before = gpu.memory.live;
  const results = [...network.encode([image, image]), ...network.decode([z])];
  await read(...results);
  for (const result of results) result.dispose();
  expect(gpu.memory.live).toBe(before);
  network.dispose();
});

test("tiles one at a time give the same to the bit, however little is kept between layers", async () => {
  const { network, io } = await load(smallConfig({ ch_mult: [1, 2, 2], num_res_blocks: 2 }), [1, 3, 3]);
  const [image, z] = [upload(io, "image"), upload(io, "z")];
  const like = ({ shape }: Tensor, seed: number) => tensor(gpu, random(shape, seed), shape);
  const images = [image, like(image, 1), like(image, 2)], latents = [z, like(z, 3), like(z, 4)];
  const live = gpu.memory.live;
  const run = async (keep?: number) => {
    const results = [...network.encode(images, { keep }), ...network.decode(latents, { keep })];
    const values = await read(...results);
    for (const result of results) result.dispose();
    return values;
  };
  const together = await run();
  for (const keep of [0, 5000, Infinity]) expect(await run(keep)).toEqual(together);
  expect(gpu.memory.live).toBe(live);
  // No norm goes on with what it was told for them.
  expect(await read(...network.encode([image]))).not.toEqual([together[0]]);
  network.dispose();
});

test("encode() and decode() normalise tiles with the statistics of all: equal tiles give what each alone gives", async () => {
  const { network, io } = await load(smallConfig({}), [1, 3, 3]);
  const [image, z] = [upload(io, "image"), upload(io, "z")];
  const single = await read(...network.encode([image]), ...network.decode([z]));
  const [e0, e1] = await read(...network.encode([image, image]));
  const [d0, d1] = await read(...network.decode([z, z]));
  for (const tile of [e0, e1]) expect(scaledError(tile!, single[0]!)).toBeLessThan(F32);
  for (const tile of [d0, d1]) expect(scaledError(tile!, single[1]!)).toBeLessThan(F32);
  const other = tensor(gpu, random(image.shape, 9), image.shape);
  const [mixed] = await read(...network.encode([image, other]));
  expect(scaledError(mixed!, single[0]!)).toBeGreaterThan(F32);
  network.dispose();
});

/** FLUX.1-dev at full width, with a block of each kind: what only shows at its sizes. */
import {
  type AdapterFolder,
  FLUX_DEV,
  loadModel,
  openAdapter,
  type Picture,
  planUpscale,
  predictVelocities,
  upscale,
} from "@fluxsr/core";
import { read, type Tensor, tensor } from "@fluxsr/kernels";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runSynth } from "../../packages/cli/synth.ts";
import { fakeHost } from "../cli/_fakes.ts";
import { gpu, random, scaledError } from "../helpers/gpu.ts";
import { restoredByStages } from "../helpers/stages.ts";
import { expectGolden, LATENTS, PICTURE, TEXT, writeLora } from "./_full_width_golden.ts";

/** The stages by the names of the golden values. */
const STAGES: Readonly<Record<string, string>> = {
  z_L: "encode",
  v: "transformer",
  z_0hat: "step",
  x_0hat: "decode",
};

/** Sums of 15360 products in f32, in another order where a weight is divided. */
const TOLERANCE = 1e-5;

let folder = "";
let model = "";

beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "fluxsr-test-" });
  model = join(folder, "model");
  const request = { preset: "flux1-dev", depth: 1, single: 1, layout: "bfl", seed: 1, shardSize: 1e10 } as const;
  await runSynth({ ...request, output: model }, { host: fakeHost() });
});

afterAll(() => Deno.remove(folder, { recursive: true }));

test("one step on 16 x 16 tokens is the same with weights in parts, and with blocks that are loaded in their turn", async () => {
  const data = random([1, 32, 32, 16]);
  const velocity = async (options: Parameters<typeof loadModel>[2]) => {
    const before = gpu.memory.live;
    using loaded = await loadModel(gpu, model, options);
    const parts = [...loaded.mmdit.parameters()].map(([, each]) =>
      each.isNeeded && loaded.blocks.isWhole ? each.parts.length : 1
    );
    const bytes = gpu.memory.live - before;
    using z = tensor(gpu, data, [1, 32, 32, 16]);
    const [v] = await predictVelocities(loaded, [z]);
    const [values] = await read(v!);
    v!.dispose();
    gpu.trim();
    return { values: values!, parts: Math.max(...parts), bytes };
  };
  const packed = await velocity({ fold: true });
  const streamed = await velocity({ fold: true, residentBlocks: 0 });
  const widened = await velocity({ fold: true, precision: "f32" });
  expect(packed.values.every(Number.isFinite)).toBe(true);
  expect(streamed.values).toEqual(packed.values);
  // 21504 x 3072 values of 4 bytes are twice what may be bound here.
  expect([packed.parts, widened.parts > 1 || gpu.buffers.largest > 2 ** 28]).toEqual([1, true]);
  expect(scaledError(widened.values, packed.values)).toBeLessThan(TOLERANCE);
  expect(streamed.bytes).toBeLessThan(packed.bytes / 2);
});

test("a step on 16 x 16 tokens and a picture restored equal PyTorch's, stage by stage", async () => {
  const lora: AdapterFolder = { adapters: new Map(), ...TEXT, notes: [] };
  using loaded = await loadModel(gpu, model, { fold: true, lora });
  const kept: [string, Tensor][] = [];
  const keep = (name: string, value: Tensor) => void kept.push([name, value.retain()]);
  using z = tensor(gpu, LATENTS, [1, 32, 32, 16]);
  const [v] = await predictVelocities(loaded, [z], { observe: keep });
  kept.push(["v", v!]);
  using x = tensor(gpu, PICTURE.values, PICTURE.shape);
  await restoredByStages(loaded, x, (name, value) => keep(`restore.${STAGES[name]}`, value));
  const values = await read(...kept.map(([, value]) => value));
  for (const [i, [name, value]] of kept.entries()) {
    await expectGolden(name, values[i]!);
    value.release();
  }
  expect(kept.map(([name]) => name)).toHaveLength(9);
});

test("a step with a LoRA on weights in bf16 equals PyTorch's with PEFT", async () => {
  const adapter = await openAdapter(await writeLora(folder), { ...FLUX_DEV, depth: 1, depth_single_blocks: 1 });
  using loaded = await loadModel(gpu, model, { fold: true, lora: { ...adapter, ...TEXT } });
  using z = tensor(gpu, LATENTS, [1, 32, 32, 16]);
  const [v] = await predictVelocities(loaded, [z]);
  const [values] = await read(v!);
  v!.dispose();
  await expectGolden("lora.v", values!);
});

test("a picture is planned for within a tenth of what it takes", async () => {
  const plan = await planUpscale(gpu, { model, scale: 4, tile: 64 });
  gpu.trim();
  const before = gpu.memory.reserved;
  using loaded = await loadModel(gpu, model, { fold: true });
  const rgb = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * 37) % 256);
  const picture: Picture = { width: 16, height: 16, depth: 8, rgb, grey: false, notes: [] };
  const { stageBytes } = await upscale(loaded, picture, { scale: 4, tile: 64, colorFix: "wavelet" });
  const used = Math.max(...Object.values(stageBytes)) - before;
  expect(Math.abs(plan.usedBytes / used - 1)).toBeLessThan(0.1);
});

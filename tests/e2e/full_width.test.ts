/** FLUX.1-dev at full width, with a block of each kind: what only shows at its sizes. */
import { loadModel, openWeights, pack, type Picture, planUpscale, predictVelocities, upscale } from "@fluxsr/core";
import { read, type Tensor, tensor } from "@fluxsr/kernels";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runSynth } from "../../packages/cli/synth.ts";
import { toF32 } from "../../packages/core/weights/dtype.ts";
import { fakeHost } from "../cli/_fakes.ts";
import { F32, gpu, random, scaledError } from "../helpers/gpu.ts";
import { mmdit as reference } from "../reference/mmdit.ts";

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

test("a step on 2 x 2 tokens equals plain loops in every block", async () => {
  using loaded = await loadModel(gpu, model, { fold: true, residentBlocks: 1 });
  const { config: { transformer }, settings } = loaded;
  using z = tensor(gpu, random([1, 4, 4, 16]), [1, 4, 4, 16]);
  using packed = pack(z);
  const [tokens] = await read(packed);
  using source = await openWeights(join(model, "flux1-dev.safetensors"));
  const stored = new Map<string, Uint8Array>();
  for (const name of source.tensors.keys()) stored.set(name, (await source.read(name)).bytes);
  const get = (name: string) => ({ values: toF32(stored.get(name)!, "BF16") });
  const expected = reference(transformer, Object.assign(new Map(), { get }), {
    img: [0, 1, 2, 3].map((i) => [...tokens!.subarray(64 * i, 64 * (i + 1))]),
    img_ids: [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1]],
    txt: [Array(4096).fill(0)],
    txt_ids: [[0, 0, 0]],
    y: Array(768).fill(0),
    timestep: settings.T_L,
    guidance: settings.guidance,
  });
  stored.clear();
  const seen = new Map<string, Tensor>();
  const observe = (name: string, value: Tensor) => void seen.set(name, value.retain());
  const [v] = await predictVelocities(loaded, [z], { observe });
  using out = pack(v!);
  v!.dispose();
  const names = [...seen.keys()];
  expect(names).toEqual(["vec", "double.0.img", "double.0.txt", "single.0"]);
  const values = await read(...seen.values(), out);
  for (const [i, name] of [...names, "out"].entries()) {
    expect([name, scaledError(values[i]!, expected.get(name)!.flat()) < F32]).toEqual([name, true]);
  }
  for (const value of seen.values()) value.release();
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

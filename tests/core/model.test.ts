import { loadModel, type LoadOptions, type Model, type Picture, predictVelocity, upscale } from "@fluxsr/core";
import { OutOfMemoryError, read, tensor } from "@fluxsr/kernels";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { AdaptedLoader } from "../../packages/core/lora/adapted_loader.ts";
import { Mmdit } from "../../packages/core/mmdit/mmdit.ts";
import { moduleShapes } from "../../packages/core/lora/module_shapes.ts";
import { writeLora } from "../../packages/core/lora/write_lora.ts";
import { openModelFolder } from "../../packages/core/model_folder/model_folder.ts";
import { tinyModel } from "../e2e/_tiny_model.ts";
import { gpu, random, scaledError } from "../helpers/gpu.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const folder = temporaryFolder();
const lora = join(folder, "lora.safetensors");

/** Several blocks of both kinds, and a LoRA on every linear layer, modulations and embedders too. */
beforeAll(async () => {
  await tinyModel(folder, { sizes: { depth: 3, depth_single_blocks: 4, guidance_embed: true } });
  using opened = await openModelFolder(folder);
  const { config } = opened.transformer;
  const adapters = [...moduleShapes(config)].map(([name, [out, inner]], i) => {
    const [a, b] = [random([2, inner], i + 1), random([out, 2], i + 100)].map((values) => values.map((v) => v / 5));
    return [name, { a: a!, b: b!, rank: 2, in: inner, out, scale: 1 }] as const;
  });
  await writeLora(lora, new Map(adapters), { config, dtype: "F32" });
});

const PICTURE: Picture = {
  width: 24,
  height: 16,
  depth: 8,
  rgb: Uint8Array.from({ length: 24 * 16 * 3 }, (_, i) => (i * 37) % 256),
  grey: false,
  notes: [],
};

/** The picture that a model loaded in a certain way makes of the test's, in three tiles or more. */
async function result(options: LoadOptions): Promise<Picture["rgb"]> {
  using model = await loadModel(gpu, folder, { lora, ...options });
  return await make(model);
}

async function make(model: Model): Promise<Picture["rgb"]> {
  const options = { scale: 4, colorFix: "none", tile: 48, tileOverlap: 8 } as const;
  const { picture, tiles } = await upscale(model, PICTURE, options);
  expect(tiles).toBeGreaterThan(2);
  return picture.rgb;
}

describe.each(["f32", "native"] as const)("loadModel() in %s precision", (precision) => {
  test("gives the same velocity to the bit when it folds what is constant, LoRA included", async () => {
    const data = random([1, 6, 10, 4]);
    const velocity = async (options: LoadOptions) => {
      using model = await loadModel(gpu, folder, { lora, precision, ...options });
      using z = tensor(gpu, data, [1, 6, 10, 4]);
      using v = predictVelocity(model, z);
      return (await read(v))[0];
    };
    const plain = await velocity({});
    expect(await velocity({ fold: true })).toEqual(plain);
    expect(await velocity({ lora: false })).not.toEqual(plain);
  });

  test.each([0, 1, 5])("gives the same picture to the bit with %i of 7 blocks on the GPU", async (residentBlocks) => {
    const whole = await result({ precision });
    expect(await result({ precision, residentBlocks })).toEqual(whole);
    expect(await result({ precision, residentBlocks, fold: true })).toEqual(whole);
  });
});

test.each(["f32", "native"] as const)(
  "weights in parts of at most 2000 bytes change no more than the order of sums, %s",
  async (precision) => {
    const velocity = async () => {
      using model = await loadModel(gpu, folder, { lora, precision, fold: true });
      using z = tensor(gpu, random([1, 6, 10, 4]), [1, 6, 10, 4]);
      using v = predictVelocity(model, z);
      const parts = [...model.mmdit.parameters()].map(([, each]) => each.isNeeded ? each.parts.length : 0);
      return { values: (await read(v))[0]!, parts: Math.max(...parts) };
    };
    const whole = await velocity();
    vi.spyOn(gpu.buffers, "largest", "get").mockReturnValue(2000);
    const divided = await velocity();
    vi.restoreAllMocks();
    expect([whole.parts, divided.parts > 5]).toEqual([1, true]);
    expect(scaledError(divided.values, whole.values)).toBeLessThan(1e-6);
  },
);

test("a folded model has fewer weights on the GPU, one whose blocks are loaded in turn fewer still", async () => {
  const bytes = async (options: LoadOptions) => {
    const before = gpu.memory.live;
    using _ = await loadModel(gpu, folder, { lora, ...options });
    return gpu.memory.live - before;
  };
  const [whole, folded, streamed] = [
    await bytes({}),
    await bytes({ fold: true }),
    await bytes({ fold: true, residentBlocks: 0 }),
  ];
  expect(folded).toBeLessThan(whole);
  expect(streamed).toBeLessThan(folded);
});

test("loadModel() leaves nothing on the GPU, whatever was loaded in turn", async () => {
  const before = gpu.memory.live;
  await result({ fold: true, residentBlocks: 2 });
  expect(gpu.memory.live).toBe(before);
});

test.each([0, 3, 40])("a block that has no room, at its buffer %i, leaves the model as it was", async (skipped) => {
  using model = await loadModel(gpu, folder, { lora, fold: true, residentBlocks: 1 });
  const whole = await make(model);
  const before = gpu.memory.live;
  const acquire = gpu.buffers.acquire.bind(gpu.buffers);
  let loads = 0;
  const { load } = AdaptedLoader.prototype;
  vi.spyOn(AdaptedLoader.prototype, "load").mockImplementation(async function (this: AdaptedLoader, part) {
    if (part.path !== "single_blocks.1") return await load.call(this, part);
    let left = skipped;
    const failing = vi.spyOn(gpu.buffers, "acquire").mockImplementation((bytes) => {
      if (left-- === 0) throw new OutOfMemoryError("no room");
      return acquire(bytes);
    });
    loads++;
    await load.call(this, part).finally(() => failing.mockRestore());
  });
  const making = make(model);
  if (skipped < 10) await expect(making).rejects.toThrow("no room");
  else await making;
  vi.restoreAllMocks();
  expect(loads).toBeGreaterThan(0);
  expect(gpu.memory.live).toBe(before);
  expect(await make(model)).toEqual(whole);
});

test("tiles that have no room together pass the blocks in smaller lots: the same picture", async () => {
  using model = await loadModel(gpu, folder, { lora, fold: true, residentBlocks: 1 });
  const options = { scale: 4, colorFix: "none", tile: 48, tileOverlap: 8 } as const;
  const { picture, stageBytes, tiles } = await upscale(model, PICTURE, options);
  const acquire = gpu.buffers.acquire.bind(gpu.buffers);
  let inTransformer = false, refused = 0;
  const steps = vi.spyOn(Mmdit.prototype, "steps").mockImplementation(function (this: Mmdit, ...inputs) {
    inTransformer = true;
    steps.mockRestore();
    return this.steps(...inputs);
  });
  vi.spyOn(gpu.buffers, "acquire").mockImplementation((bytes) => {
    if (inTransformer && refused === 0 && gpu.memory.live + bytes >= 0.95 * stageBytes.transformer!) {
      refused++;
      throw new OutOfMemoryError("no room");
    }
    return acquire(bytes);
  });
  const notices: string[] = [];
  const again = await upscale(model, PICTURE, { ...options, onNotice: (line) => notices.push(line) });
  vi.restoreAllMocks();
  expect([refused, tiles > 2, notices]).toEqual([1, true, []]);
  expect(again.picture.rgb).toEqual(picture.rgb);
});

test("a folded model runs at no other time", async () => {
  using model = await loadModel(gpu, folder, { fold: true });
  using z = tensor(gpu, random([1, 2, 2, 4]), [1, 2, 2, 4]);
  expect(() => predictVelocity(model, z, { timesteps: [0.5] })).toThrow(
    /^Cannot run the transformer: it was loaded for time .* and guidance .* alone: given time 0.5/,
  );
});

test("loadModel() tells how much is loaded, to the end", async () => {
  const told: [number, number][] = [];
  using _ = await loadModel(gpu, folder, { onProgress: (loaded, total) => told.push([loaded, total]) });
  expect(told.at(-1)![0]).toBe(told.at(-1)![1]);
  expect(told.length).toBeGreaterThan(10);
});

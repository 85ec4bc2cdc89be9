import {
  BUNDLED_MODEL,
  loadModel,
  OverBudgetError,
  type Picture,
  planUpscale,
  upscale,
  type UpscalePlan,
} from "@fluxsr/core";
import { openGpu } from "@fluxsr/kernels";
import { beforeAll, describe, expect, test } from "vitest";
import { tinyModel } from "../e2e/_tiny_model.ts";
import { gpu } from "../helpers/gpu.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const MANY = temporaryFolder();

beforeAll(() => tinyModel(MANY, { sizes: { hidden_size: 240, num_heads: 20, depth: 4, depth_single_blocks: 6 } }));

function waves({ width, height }: { width: number; height: number }): Picture {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37 + (i >> 5)) % 256);
  return { width, height, depth: 8, rgb, grey: false, notes: [] };
}

/** An upscale on a GPU of its own, as a plan has it. */
async function measured(
  { model, tileSide, blocks, picture }: Pick<UpscalePlan, "model" | "tileSide" | "blocks" | "picture">,
  budget = Infinity,
) {
  using own = await openGpu();
  own.buffers.budget = budget;
  using loaded = await loadModel(own, model.path, { fold: true, residentBlocks: blocks.resident });
  const notices: string[] = [];
  const result = await upscale(loaded, waves(picture), {
    scale: 4,
    colorFix: "wavelet",
    tile: tileSide,
    onNotice: (line) => notices.push(line),
  });
  return { ...result, peak: own.memory.peak, notices };
}

describe("planUpscale()", () => {
  test.each([
    ["the bundled model, one tile", BUNDLED_MODEL, { width: 40, height: 24 }, undefined],
    ["the bundled model, several tiles", BUNDLED_MODEL, { width: 64, height: 40 }, 128],
    ["a model of ten blocks", MANY, { width: 50, height: 40 }, 64],
  ])("predicts the peak within a tenth: %s", async (_, model, size, tile) => {
    const plan = await planUpscale(gpu, { model, sizes: [size], tile, scale: 4 });
    const { peak, tiles, stageBytes } = await measured(plan);
    expect(Math.abs(plan.peakBytes / peak - 1)).toBeLessThan(0.1);
    expect(plan.tiles).toBe(tiles);
    const held = Object.values(plan.loaded).reduce((sum, bytes) => sum + bytes, 0);
    for (const [stage, bytes] of Object.entries(plan.stages)) {
      expect(Math.abs((held + bytes) / stageBytes[stage]! - 1), stage).toBeLessThan(0.1);
    }
    expect(plan.blocks).toMatchObject({ resident: plan.blocks.all, streamedBytes: 0 });
  });

  test("allocates nothing", async () => {
    const before = gpu.memory.reserved;
    await planUpscale(gpu, { model: MANY, scale: 4 });
    expect(gpu.memory.reserved).toBe(before);
  });

  test("keeps the blocks that fit the budget, which then holds, down to one at a time; the picture is the same", async () => {
    const options = { model: MANY, scale: 4, tile: 64, sizes: [{ width: 50, height: 40 }] };
    const whole = await planUpscale(gpu, options);
    const { picture } = await measured(whole);
    const least = whole.usedBytes - Object.values(whole.loaded).reduce((sum, bytes) => sum + bytes, 0);
    const residents: number[] = [];
    for (const share of [0.99, 0.8, 0.6, 0.45]) {
      const budget = Math.round(whole.usedBytes * share);
      const plan = await planUpscale(gpu, { ...options, budget });
      expect(plan.peakBytes).toBeLessThanOrEqual(budget);
      const run = await measured(plan, budget);
      expect(run.notices).toEqual([]);
      expect(run.peak).toBeLessThanOrEqual(budget);
      expect(Math.abs(plan.peakBytes / run.peak - 1)).toBeLessThan(0.1);
      expect(run.picture.rgb).toEqual(picture.rgb);
      residents.push(plan.blocks.resident);
    }
    expect(residents).toEqual(residents.toSorted((a, b) => b - a));
    expect(residents.at(-1)).toBeLessThan(residents[0]!);
    const refused = await planUpscale(gpu, { ...options, budget: Math.round(least / 10) }).catch((error) => error);
    expect(refused).toBeInstanceOf(OverBudgetError);
    expect(refused.message).toMatch(
      /^Cannot upscale 50 x 40 pixels within .* of GPU memory: it must hold the work on a tile of 64 pixels and one block at a time: they take .* MB$/,
    );
    expect(refused.hint).toMatch(/^raise --max-vram to \d+MB or more, or /);
    const enough = await planUpscale(gpu, { ...options, budget: refused.neededBytes });
    expect(enough.peakBytes).toBeLessThanOrEqual(refused.neededBytes);
  });
});

describe("planUpscale() within a budget", () => {
  const tiles = { model: BUNDLED_MODEL, scale: 4, sizes: [{ width: 200, height: 150 }] };

  test("fits pictures of several tiles into less than all of them take together", async () => {
    for (const budget of [300e6, 150e6, 100e6, 85e6]) {
      const plan = await planUpscale(gpu, { ...tiles, budget });
      expect([plan.tiles, plan.blocks.resident]).toEqual([30, plan.blocks.all]);
      expect(plan.peakBytes).toBeLessThanOrEqual(budget);
    }
  });

  test("what is enough is enough with more too", async () => {
    for (let budget = 39e6; budget < 90e6; budget *= 1.06) {
      expect((await planUpscale(gpu, { ...tiles, budget })).peakBytes).toBeLessThanOrEqual(budget);
    }
    await expect(planUpscale(gpu, { ...tiles, budget: 30e6 })).rejects.toThrow(OverBudgetError);
  });

  test("gives up blocks rather than that tiles are seen apart, which changes the picture", async () => {
    const [apart, asOne] = [60e6, 65e6].map((budget) => planUpscale(gpu, { ...tiles, budget }));
    expect((await apart!).blocks.resident).toBe((await apart!).blocks.all);
    expect((await asOne!).blocks.resident).toBeLessThan((await apart!).blocks.all);
    expect((await asOne!).flops).toBeGreaterThan(2 * (await apart!).flops);
  });

  test("is for the picture that takes the most", async () => {
    const sizes = [{ width: 16, height: 16 }, { width: 60, height: 40 }, { width: 20, height: 60 }];
    expect((await planUpscale(gpu, { ...tiles, sizes, budget: 70e6 })).picture).toEqual(sizes[1]);
  });

  test("takes the default overlap for smaller tiles where the one given is too large", async () => {
    const options = { ...tiles, sizes: [{ width: 100, height: 100 }], tile: 512, tileOverlap: 200 };
    const plan = await planUpscale(gpu, { ...options, budget: 70e6 });
    expect(plan).toMatchObject({ wantedTile: 512, tileSide: 256, tileOverlap: 64 });
  });
});

import { BUNDLED_MODEL, loadModel, type Picture, planUpscale, upscale, type UpscalePlan } from "@fluxsr/core";
import { openGpu } from "@fluxsr/kernels";
import { beforeAll, describe, expect, test } from "vitest";
import { tinyModel } from "../e2e/_tiny_model.ts";
import { gpu } from "../helpers/gpu.ts";
import { temporaryFolder } from "./weights/_files.ts";

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
    const plan = await planUpscale(gpu, { model, size, tile, scale: 4 });
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
    const options = { model: MANY, scale: 4, tile: 64, size: { width: 50, height: 40 } };
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
    await expect(planUpscale(gpu, { ...options, budget: Math.round(least / 10) })).rejects.toThrow(
      /^Cannot upscale within \d+ bytes of GPU memory: with the smallest tiles and one block at a time \d+ are in use$/,
    );
  });
});

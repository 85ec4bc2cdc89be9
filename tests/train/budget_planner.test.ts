import { InputError } from "@fluxsr/core";
import { DryGpu, openGpu, read } from "@fluxsr/kernels";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type FtdConfig, ftdConfig } from "../../packages/train/config/ftd_config.ts";
import { parseConfig } from "../../packages/train/config/parse_config.ts";
import type { PairsSettings } from "../../packages/train/data/pairs/manifest.ts";
import { identifyModel } from "../../packages/train/data/pairs/model_hash.ts";
import { writePairs } from "../../packages/train/data/pairs/write_pairs.ts";
import { prepareFtd } from "../../packages/train/ftd/ftd_stage.ts";
import { MetricsLog } from "../../packages/train/log/metrics_log.ts";
import { type Plan, plan } from "../../packages/train/plan.ts";
import { BudgetPlanner } from "../../packages/train/budget_planner.ts";
import type { OpenStage } from "../../packages/train/stage.ts";
import { train } from "../../packages/train/trainer.ts";
import { tinyModel } from "../e2e/_tiny_model.ts";
import { gpu, random } from "../helpers/gpu.ts";
import { MILD } from "../helpers/mild.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { jsonFile } from "./_pretraining.ts";

const SIZE = 32;

/** Blocks are most of what a step takes. */
const SIZES = { hidden_size: 240, num_heads: 20, depth: 3, depth_single_blocks: 4 };

/** The second of the steps is one whose terms are logged apart. */
const CONFIG = { steps: 2, log_every: 2, rank: 2, lr: 0.01, lambda: 0, latent_mse: 1, checkpointing: true };

/** A model with pairs that nobody made, and what opens a stage on it. */
async function prepared(dtype: "F32" | "BF16"): Promise<{ config: FtdConfig; open: OpenStage }> {
  const [model, pairs] = [temporaryFolder(), temporaryFolder()];
  await tinyModel(model, { sizes: SIZES, dtype });
  const latent = [SIZE / 2, SIZE / 2, 4] as [number, number, number];
  const settings: PairsSettings = {
    model: await identifyModel(model),
    source: "teacher",
    size: SIZE,
    latent,
    solver: "euler",
    steps: 1,
    schedule: "flux",
    guidance: 1,
    seed: 1,
    prompts: { count: 1, sha256: "0".repeat(64) },
    pairs_per_shard: 2,
    batch_size: 1,
  };
  const make = (i: number) =>
    Promise.resolve({
      eps: random(latent, 2 * i),
      z_0: random(latent, 2 * i + 1),
      x_0: Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, at) => (at * 37 + i) % 256),
      prompt: 0,
    });
  await writePairs(pairs, { maker: { make }, settings, count: 2 });
  const given = { ...CONFIG, model, pairs, out: temporaryFolder(), degradation: jsonFile(MILD), precision: "native" };
  const config = parseConfig(ftdConfig, given);
  return { config, open: await prepareFtd(config, { notice: () => {} }) };
}

/** The LoRA after a run on a GPU of its own, and the most that this held. */
async function measured(
  { open, config }: { open: OpenStage; config: FtdConfig },
  { budget = Infinity, residentBlocks }: { budget?: number; residentBlocks?: number } = {},
) {
  using own = await openGpu();
  own.buffers.budget = budget;
  using stage = await open(own, { notice: () => {}, residentBlocks });
  const out = join(config.out, crypto.randomUUID());
  await train(stage, { config, out, resume: false, log: new MetricsLog(out) });
  return { weights: await read(...stage.weights.values()), peak: own.memory.peak, used: own.memory.livePeak };
}

describe.each(["F32", "BF16"] as const)("a run within a budget, of a model in %s", (dtype) => {
  let of: Awaited<ReturnType<typeof prepared>>;
  let planner: BudgetPlanner;
  let whole: Plan;
  beforeAll(async () => {
    of = await prepared(dtype);
    planner = new BudgetPlanner(of.open, of.config, { dryGpu: () => DryGpu.like(gpu) });
    whole = await plan(of.open, of.config, { gpu: DryGpu.like(gpu) });
  });

  test("gives the same bits with some blocks on the GPU, and with none; the plan is right to a tenth", async () => {
    const without = await measured(of);
    expect(Math.abs(whole.peakBytes / without.peak - 1)).toBeLessThan(0.1);
    expect(Math.abs(whole.usedBytes / without.used - 1)).toBeLessThan(0.1);
    const residents: number[] = [];
    for (const budget of [0.8 * whole.usedBytes, await least(planner)]) {
      const within = await planner.within(budget);
      expect(within.peakBytes).toBeLessThanOrEqual(budget);
      const { weights, peak, used } = await measured(of, { budget, residentBlocks: within.blocks!.resident });
      expect(peak).toBeLessThanOrEqual(budget);
      expect(Math.abs(within.peakBytes / peak - 1)).toBeLessThan(0.1);
      expect(Math.abs(within.usedBytes / used - 1)).toBeLessThan(0.1);
      expect(weights).toEqual(without.weights);
      residents.push(within.blocks!.resident);
    }
    expect(residents[0]).toBeGreaterThan(0);
    expect(residents[0]).toBeLessThan(7);
    expect(residents[1]).toBe(0);
  });

  test("keeps all blocks where they fit", async () => {
    const { blocks, peakBytes } = await planner.within(whole.usedBytes);
    expect(blocks).toMatchObject({ resident: 7, loadedPerStep: 0, loadedPerLoggedStep: 0 });
    expect(peakBytes).toBeLessThanOrEqual(whole.usedBytes);
  });

  test("reads each block that does not stay twice for each group of terms, once more for each term that is logged apart", async () => {
    const { blocks } = await planner.within(0.8 * whole.usedBytes);
    const { sizes, resident, loadedPerStep, loadedPerLoggedStep } = blocks!;
    const streamed = sizes.slice(resident).reduce((sum, bytes) => sum + bytes, 0);
    expect(loadedPerStep).toBe(4 * streamed);
    // ftd; mse, latent_mse and adl share a forward pass
    expect(loadedPerLoggedStep).toBe(6 * streamed);
  });

  test("is refused if one block at a time does not fit, with the least that would do", async () => {
    const bytes = await least(planner);
    const error = await planner.within(bytes - 1).catch((error) => error);
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toBe(
      `Cannot train within ${bytes - 1} bytes of GPU memory: with one block at a time a step takes ${bytes}`,
    );
    expect(error.hint).toMatch(new RegExp(`^raise --max-vram to ${Math.ceil(bytes / 1e6)}MB or more, or lower `));
  });
});

/** The least budget that the planner takes. */
async function least(planner: BudgetPlanner): Promise<number> {
  const { message } = await planner.within(1).catch((error) => error);
  return Number(/a step takes (\d+)$/.exec(message)?.[1]);
}

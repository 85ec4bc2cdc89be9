import { join } from "node:path";
import { read } from "@fluxsr/kernels";
import { describe, expect, test, vi } from "vitest";
import { MetricsLog } from "../../packages/train/log/metrics_log.ts";
import { type RunConfig, train } from "../../packages/train/trainer.ts";
import { gpu } from "../helpers/gpu.ts";
import { ToyStage } from "./_toy_stage.ts";

const CONFIG: RunConfig = {
  steps: 12,
  lr: 0.05,
  lr_schedule: "cosine",
  warmup: 2,
  batch_size: 1,
  accumulate: 2,
  checkpointing: false,
  beta1: 0.9,
  beta2: 0.99,
  adam_eps: 1e-8,
  weight_decay: 0.01,
  clip: 0.5,
  ema: 0.9,
  log_every: 5,
  validate_every: 6,
  checkpoint_every: 4,
  keep_checkpoints: 2,
};

/**
 * Trains the toy in a new folder, or goes on in `out`; `stopAt` ends the run in that step as Ctrl-C does, `stopAfter` when
 * the figures of that step are told.
 */
async function run(
  options: {
    config?: Partial<RunConfig>;
    out?: string;
    stopAt?: number;
    stopAfter?: number;
    badFrom?: number;
    onUse?: () => void;
    now?: () => number;
  } = {},
) {
  const out = options.out ?? await Deno.makeTempDir();
  const stop = new AbortController();
  const onUse = (name: string) => {
    if (name === `toy ${(options.stopAt ?? 0) - 1}.0`) stop.abort();
    options.onUse?.();
  };
  using stage = new ToyStage(gpu, { ...options, onUse });
  const result = await train(stage, {
    config: { ...CONFIG, ...options.config },
    out,
    resume: options.out !== undefined,
    log: new MetricsLog(out),
    signal: stop.signal,
    onProgress: ({ step }) => step === options.stopAfter && stop.abort(),
    ...(options.now && { now: options.now }),
  });
  return { out, result, weights: await read(...stage.weights.values()), used: stage.used };
}

/** The records of a run without what depends on the clock. */
async function records(out: string): Promise<Record<string, unknown>[]> {
  const lines = (await Deno.readTextFile(join(out, "metrics.jsonl"))).trim().split("\n");
  return lines.map((line) => {
    const { time: _, images_per_s: __, ...rest } = JSON.parse(line);
    return rest;
  });
}

async function checkpoints(out: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(join(out, "checkpoints")))).map(({ name }) => name).sort();
}

describe("train()", () => {
  test("keeps the last checkpoints and logs every step", async () => {
    const { out, result } = await run();
    expect(result).toEqual({ step: 12, finished: true, files: ["toy"] });
    expect(await checkpoints(out)).toEqual(["step-12", "step-8"]);
    const steps = (await records(out)).filter((record) => "loss" in record);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    expect(Object.keys(steps[4]?.grad_norm as object).sort()).toEqual(["near", "same", "small", "total"]);
    const { near, small, same, total } = steps[4]?.loss as Record<string, number>;
    expect(total).toBeCloseTo(near! + 0.1 * small! + 0.5 * same!, 5);
  });

  test.each([1, 4, 5, 11])("stopped in step %i and resumed, it ends with the same bits", async (stopAt) => {
    const whole = await run();
    const { out, result } = await run({ stopAt });
    expect(result).toEqual({ step: stopAt, finished: false, files: [] });
    const rest = await run({ out });
    expect(rest.weights).toEqual(whole.weights);
    expect(rest.used.length).toBe(2 * (12 - stopAt));
    expect(await records(out)).toEqual(await records(whole.out));
  });

  test("stopped while the figures of a step are read, it has saved that step", async () => {
    const { out, result } = await run({ config: { log_every: 1 }, stopAfter: 3 });
    expect(result).toEqual({ step: 3, finished: false, files: [] });
    expect(await checkpoints(out)).toEqual(["step-3"]);
  });

  test("a gradient that is taken term by term is the same", async () => {
    const apart = await run({ config: { log_every: 1 } });
    const together = await run({ config: { log_every: 100 } });
    for (const [i, weights] of apart.weights.entries()) {
      weights.forEach((weight, k) => expect(weight).toBeCloseTo(together.weights[i]![k]!, 5));
    }
  });

  test("ends as if finished after the step in which the time is up, and the rate falls by the clock", async () => {
    let used = 0;
    const now = () => 1000 * used / CONFIG.accumulate; // a second a step
    const config = { steps: 100, max_seconds: 7, warmup: 0, checkpoint_every: 4, validate_every: 50 };
    const { out, result } = await run({ config, now, onUse: () => used++ });
    expect(result).toEqual({ step: 7, finished: true, files: ["toy"] });
    expect(await checkpoints(out)).toEqual(["step-4", "step-7"]);
    const all = await records(out);
    expect(all.filter((record) => "validation" in record).map(({ step }) => step)).toEqual([0, 7]);
    const rates = all.filter((record) => "lr" in record).map(({ lr }) => lr as number);
    expect(rates.length).toBe(7);
    rates.forEach((rate, step) => expect(rate).toBeCloseTo(0.05 * (1 + Math.cos(Math.PI * (step + 1) / 7)) / 2, 12));
  });

  test("stops at a loss that is not finite, names it, and leaves checkpoint and weights", async () => {
    const whole = await run({ config: { steps: 6, lr_schedule: "constant" } });
    const out = await Deno.makeTempDir();
    using stage = new ToyStage(gpu, { badFrom: 6 });
    const config = { ...CONFIG, lr_schedule: "constant" as const };
    await expect(train(stage, { config, out, resume: false, log: new MetricsLog(out) })).rejects.toThrow(
      'Cannot go on after step 7: loss "near" must be finite: it is NaN for toy 6.0, toy 6.1',
    );
    expect(await read(...stage.weights.values())).toEqual(whole.weights);
    expect(await checkpoints(out)).toEqual(["step-4"]);
  });
});

test("train() refuses a checkpoint of other weights", async () => {
  const { out } = await run({ stopAt: 4 });
  await expect(run({ out, config: { ema: 0 } })).rejects.toThrow(/^Cannot resume from .*the run has no "average.a"$/);
});

test("train() leaves the last checkpoint if the next cannot be written", async () => {
  const { out } = await run({ stopAt: 4 });
  const rename = Deno.rename;
  vi.spyOn(Deno, "rename").mockImplementation((before, after) =>
    String(after).endsWith("step-8") ? Promise.reject(new Error("No space left on device")) : rename(before, after)
  );
  await expect(run({ out })).rejects.toThrow("Cannot save the checkpoint of step 8: No space left on device");
  vi.restoreAllMocks();
  expect(await checkpoints(out)).toEqual(["step-4"]);
  expect((await run({ out })).weights).toEqual((await run()).weights);
});

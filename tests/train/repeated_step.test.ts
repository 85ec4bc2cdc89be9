import { attachedLora, attachLora, createLora, loadModel, type Model, predictVelocity } from "@fluxsr/core";
import { mean, multiply, scoped, type Tensor, tensor } from "@fluxsr/kernels";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GradientSum } from "../../packages/train/gradient_step.ts";
import { randomOf } from "../../packages/train/random.ts";
import type { Batch, LossGroup } from "../../packages/train/stage.ts";
import { TrainingState } from "../../packages/train/training_state.ts";
import { deviceCalls } from "../helpers/device_calls.ts";
import { gpu, random } from "../helpers/gpu.ts";
import { STARTER } from "../helpers/starter.ts";

interface LatentBatch extends Batch {
  readonly z: Tensor;
}

const RATES = { beta1: 0.9, beta2: 0.999, adam_eps: 1e-8, weight_decay: 0, clip: 1, ema: 0.9 };

let model: Model;
beforeAll(async () => {
  model = await loadModel(gpu, STARTER, { lora: false });
  const options = { rank: 2, random: (module: string) => randomOf(1, "lora", module) };
  attachLora(gpu, model.mmdit, createLora(model.config.transformer, options));
});
afterAll(() => model.dispose());

/** A step that makes the transformer's velocity smaller. */
function stepper({ recompute }: { recompute: boolean }) {
  const weights = new Map(
    [...attachedLora(model.mmdit)].flatMap(([name, { a, b }]) => [[`${name}.a`, a], [`${name}.b`, b]] as const),
  );
  const loss = ({ z }: LatentBatch) =>
    scoped(gpu, () => {
      const v = predictVelocity(model, z);
      return { small: mean(multiply(v, v)) };
    });
  const groups: LossGroup<LatentBatch>[] = [{ weights: { small: 1 }, loss }];
  const state = new TrainingState(weights, RATES);
  const shape = [1, 4, 6, model.config.vae.z_channels];
  return {
    async step(seed: number): Promise<void> {
      using z = tensor(gpu, random(shape, seed), shape);
      using sum = new GradientSum({ gpu, weights, groups }, { parts: 1, recompute, separate: false });
      await sum.add({ z, samples: [], [Symbol.dispose]() {} });
      using gradients = sum.finish();
      state.update(gradients.total, { lr: 1e-3 }).dispose();
      gpu.flush();
    },
    [Symbol.dispose]: () => state[Symbol.dispose](),
  };
}

test.each([false, true])(
  "training steps repeat without anything new on the device (recompute: %s)",
  async (recompute) => {
    using training = stepper({ recompute });
    await training.step(1);
    await gpu.sync();
    const before = gpu.memory;
    const calls = await deviceCalls(gpu, async () => {
      for (const seed of [2, 3, 4]) await training.step(seed);
    });
    expect(calls).toMatchObject({ buffers: 0, bindGroups: 0, pipelines: 0, waits: 0 });
    expect(calls.submissions).toBe(3);
    await gpu.sync();
    expect(gpu.memory).toEqual(before);
  },
);

import { openWeights } from "@fluxsr/core";
import { read, type Tensor, tensor } from "@fluxsr/kernels";
import { expect, test } from "vitest";
import { AdamW } from "../../../packages/train/optim/adamw.ts";
import { golden } from "../../core/weights/_files.ts";
import { gpu, randomTensor } from "../../helpers/gpu.ts";

type List = readonly [Tensor, ...Tensor[]];

const { config, tolerances } = JSON.parse(Deno.readTextFileSync(golden("ftd-step/case.json")));

/** The tensors of a file of the golden case, by name. */
async function tensors(
  file: string,
): Promise<Map<string, { shape: readonly number[]; values: Float32Array<ArrayBuffer> }>> {
  using source = await openWeights(golden(`ftd-step/${file}.safetensors`));
  const result = new Map();
  for (const [name, { shape }] of source.tensors) result.set(name, { shape, values: await source.readF32(name) });
  return result;
}

async function upload(file: string): Promise<Map<string, Tensor>> {
  return new Map([...await tensors(file)].map(([name, { shape, values }]) => [name, tensor(gpu, values, shape)]));
}

test("AdamW takes the three golden steps with the golden gradients", async () => {
  const { lr, betas: [beta1, beta2], eps, weight_decay: weightDecay } = config.optimizer;
  const { rtol, atol } = tolerances.optimizer_alone;
  const weights = await upload("lora.step0");
  const names = [...weights.keys()];
  using optimizer = new AdamW(weights, { beta1, beta2, eps, weightDecay });
  let worst = 0;
  for (const step of [1, 2, 3]) {
    const gradients = await upload(`grads.step${step}`);
    optimizer.step(names.map((name) => gradients.get(name)!) as unknown as List, { lr }).dispose();
    const expected = await tensors(`lora.step${step}`);
    (await read(...weights.values())).forEach((values, i) => {
      const wanted = expected.get(names[i]!)!.values;
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = values.reduce((most, value, k) => Math.max(most, Math.abs(value - wanted[k]!)), 0);
      worst = Math.max(worst, error / (atol + rtol * largest));
    });
  }
  expect(names.length).toBe(2 * config.lora.targets.length);
  expect(worst).toBeLessThan(1);
});

/** Two small weights, and gradients of norm 5 for them. */
function small() {
  const weights = new Map([["a", randomTensor([2, 3], 1).tensor], ["b", randomTensor([1], 2).tensor]]);
  const gradients = [tensor(gpu, Float32Array.of(0, 3, 0, 0, 0, 0), [2, 3]), tensor(gpu, Float32Array.of(-4), [1])];
  return { weights, gradients: gradients as unknown as List };
}

test("AdamW clips all gradients together, and tells their norm before", async () => {
  const { weights, gradients } = small();
  using optimizer = new AdamW(weights, { clip: 2.5 });
  const norm = optimizer.step(gradients, { lr: 0.1 });
  const [told, control, first, second] = await read(norm, optimizer.control, ...optimizer.state.values());
  expect([told![0], ...control!]).toEqual([5, 0.5, 1]);
  expect([...optimizer.state.keys()]).toEqual(["m.a", "v.a", "m.b", "v.b"]);
  expect(first![1]).toBeCloseTo(0.1 * 0.5 * 3, 6);
  expect(second![1]).toBeCloseTo(0.001 * (0.5 * 3) ** 2, 6);
});

test("AdamW goes on from the state of another as that would have", async () => {
  const [whole, stopped] = [small(), small()];
  using one = new AdamW(whole.weights);
  for (let step = 0; step < 3; step++) one.step(whole.gradients, { lr: 0.1 });
  using two = new AdamW(stopped.weights);
  for (let step = 0; step < 2; step++) two.step(stopped.gradients, { lr: 0.1 });
  using resumed = new AdamW(stopped.weights);
  const values = await read(...two.state.values());
  [...resumed.state.values()].forEach(({ buffer }, i) => gpu.write(buffer, values[i]!));
  resumed.steps = two.steps;
  resumed.step(stopped.gradients, { lr: 0.1 });
  expect(await read(...stopped.weights.values())).toEqual(await read(...whole.weights.values()));
});

test("AdamW changes nothing from a gradient that is not finite on", async () => {
  const { weights, gradients } = small();
  using optimizer = new AdamW(weights);
  optimizer.step(gradients, { lr: 0.1 });
  const all = () => read(...weights.values(), ...optimizer.state.values());
  const before = await all();
  optimizer.step([gradients[0], tensor(gpu, Float32Array.of(NaN), [1])], { lr: 0.1 });
  optimizer.step(gradients, { lr: 0.1 });
  expect(await all()).toEqual(before);
  const [control] = await read(optimizer.control);
  expect(control![1]).toBe(0);
});

test("AdamW wants weights, and a gradient for each", () => {
  const { weights, gradients } = small();
  expect(() => new AdamW(new Map())).toThrow("there must be weights");
  using optimizer = new AdamW(weights);
  expect(() => optimizer.step([gradients[0]], { lr: 1 })).toThrow("each of 2 weights must have a gradient: given 1");
});

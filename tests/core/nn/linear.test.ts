import { matmul, read, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { loadModule } from "../../../packages/core/nn/load.ts";
import { Linear } from "../../../packages/core/nn/linear.ts";
import { F32, gpu, random, randomTensor, scaledError } from "../../helpers/gpu.ts";
import { gelu } from "../../reference/activation.ts";
import { randomWeights, sourceOf } from "./_random_weights.ts";

const SIZES = [{ inputs: 5, outputs: 7, rank: 1 }, { inputs: 8, outputs: 12, rank: 3 }];

/** `rows x W^T` with W [out, in]. */
function product(x: ArrayLike<number>, w: ArrayLike<number>, inner: number): number[] {
  return Array.from({ length: x.length / inner }, (_, row) =>
    Array.from({ length: w.length / inner }, (_, out) => {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += x[row * inner + i]! * w[out * inner + i]!;
      return sum;
    })).flat();
}

describe.each(SIZES)("Linear $inputs to $outputs with a LoRA of rank $rank", ({ inputs, outputs, rank }) => {
  const x = randomTensor([2, 3, inputs], 1);
  const a = random([rank, inputs], 2);
  const b = random([outputs, rank], 3);

  async function loaded(bias: boolean) {
    const layer = new Linear(inputs, outputs, { bias });
    const weights = randomWeights(layer);
    await loadModule(gpu, layer, { source: sourceOf(weights), precision: "f32" });
    const base = product(x.data, weights.get("weight")!.values, inputs);
    return { layer, base: base.map((value, i) => value + (weights.get("bias")?.values[i % outputs] ?? 0)) };
  }

  test.each([[true], [false]])("adds scale B A x before the activation, bias %s", async (bias) => {
    const { layer, base } = await loaded(bias);
    layer.adapter = { a: tensor(gpu, a, [rank, inputs]), b: tensor(gpu, b, [outputs, rank]), scale: 1.5 };
    const low = product(product(x.data, a, inputs), b, rank);
    const wanted = base.map((value, i) => value + 1.5 * low[i]!);
    const [plain, activated] = await read(layer.forward(x.tensor), layer.forward(x.tensor, { activation: "gelu" }));
    expect(scaledError(plain!, wanted)).toBeLessThan(F32);
    expect(scaledError(activated!, wanted.map(gelu))).toBeLessThan(F32);

    layer.adapter = undefined;
    const [without] = await read(layer.forward(x.tensor));
    expect(scaledError(without!, base)).toBeLessThan(F32);
    layer.dispose();
  });

  test("owns its adapter", async () => {
    const { layer } = await loaded(true);
    const before = gpu.memory.live;
    const adapter = () => ({ a: tensor(gpu, a, [rank, inputs]), b: tensor(gpu, b, [outputs, rank]), scale: 1 });
    layer.adapter = adapter();
    const one = gpu.memory.live;
    layer.adapter = adapter();
    expect(gpu.memory.live).toBe(one);
    layer.adapter = undefined;
    expect(gpu.memory.live).toBe(before);
    layer.dispose();
    expect(() => matmul(x.tensor, layer.weight.tensor)).toThrow("its weights are not loaded");
  });
});

import { gradients, matmul, read, Tape, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { loadModule } from "../../../packages/core/nn/load.ts";
import { Linear } from "../../../packages/core/nn/linear.ts";
import { F32, gpu, random, randomTensor, scaledError } from "../../helpers/gpu.ts";
import { gelu } from "../../reference/activation.ts";
import { randomWeights, sourceOf } from "./_random_weights.ts";

/** Those of low rank have two products of their own, those of high rank are added to the weight. */
const SIZES = [
  { inputs: 5, outputs: 7, rank: 1 },
  { inputs: 5, outputs: 7, rank: 4 },
  { inputs: 8, outputs: 12, rank: 3 },
  { inputs: 8, outputs: 12, rank: 11 },
];

/** `rows x W^T` with W [out, in]. */
function product(x: ArrayLike<number>, w: ArrayLike<number>, inner: number): number[] {
  return Array.from({ length: x.length / inner }, (_, row) =>
    Array.from({ length: w.length / inner }, (_, out) => {
      let sum = 0;
      for (let i = 0; i < inner; i++) sum += x[row * inner + i]! * w[out * inner + i]!;
      return sum;
    })).flat();
}

/** [columns, rows] of a matrix [rows, columns]. */
function transposed(values: ArrayLike<number>, columns: number): number[] {
  const rows = values.length / columns;
  return Array.from({ length: values.length }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
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

  test("has the gradients of x, A and B", async () => {
    const { layer } = await loaded(true);
    const adapter = { a: tensor(gpu, a, [rank, inputs]), b: tensor(gpu, b, [outputs, rank]), scale: 1.5 };
    layer.adapter = adapter;
    const seed = randomTensor([2, 3, outputs], 4);
    using tape = new Tape(gpu);
    const wanted = [x.tensor, adapter.a, adapter.b] as const;
    for (const each of wanted) tape.watch(each);
    const y = layer.forward(x.tensor);
    const found = await read(...gradients(tape, [y], { seed: [seed.tensor], wanted }));

    // y = x W'^T with W' = W + s B A: dx = dy W', dW' = dy^T x, dA = s B^T dW', dB = s dW' A^T
    const weight = layer.weight.tensor;
    const [w = new Float32Array()] = await read(weight);
    const change = product(b, transposed(a, inputs), rank);
    const sum = w.map((value, i) => value + 1.5 * change[i]!);
    const dW = product(transposed(seed.data, outputs), transposed(x.data, inputs), 6);
    const scaled = (values: ArrayLike<number>) => Array.from(values, (value) => 1.5 * value);
    expect(scaledError(found[0]!, product(seed.data, transposed(sum, inputs), outputs))).toBeLessThan(F32);
    const dA = scaled(product(transposed(b, rank), transposed(dW, inputs), outputs));
    expect(scaledError(found[1]!, dA)).toBeLessThan(F32);
    expect(scaledError(found[2]!, scaled(product(dW, a, inputs)))).toBeLessThan(F32);
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

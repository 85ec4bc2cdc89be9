import { adamw, read, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, random, randomTensor } from "../../helpers/gpu.ts";

const RATES = { lr: 0.02, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 };

function control(factor: number, alive: number) {
  return tensor(gpu, Float32Array.of(factor, alive), [2]);
}

/** One element, a prime, a workgroup and one more, batch 2 and non-square. */
describe.each([[[1]], [[7]], [[65]], [[2, 3, 31, 5]]])("adamw() for shape %j", (shape) => {
  test("matches the formula for three steps with another gradient each", async () => {
    const start = random(shape, 1);
    const p = tensor(gpu, start, shape);
    const [m, v] = [
      tensor(gpu, new Float32Array(start.length), shape),
      tensor(gpu, new Float32Array(start.length), shape),
    ];
    const wanted = [...start].map((p) => ({ p, m: 0, v: 0 }));
    const { lr, beta1, beta2, eps, weightDecay } = RATES;
    for (const step of [1, 2, 3]) {
      const gradient = randomTensor(shape, 10 + step);
      adamw(p, { gradient: gradient.tensor, m, v, control: control(0.5, 1) }, { ...RATES, step });
      wanted.forEach((each, i) => {
        const g = 0.5 * gradient.data[i]!;
        each.p *= 1 - lr * weightDecay;
        each.m = beta1 * each.m + (1 - beta1) * g;
        each.v = beta2 * each.v + (1 - beta2) * g ** 2;
        each.p -= lr * (each.m / (1 - beta1 ** step)) / (Math.sqrt(each.v / (1 - beta2 ** step)) + eps);
      });
    }
    await expectClose(p, wanted.map(({ p }) => p), 1e-6);
    await expectClose(m, wanted.map(({ m }) => m), 1e-6);
    await expectClose(v, wanted.map(({ v }) => v), 1e-6);
  });
});

test("adamw() changes nothing when control says stop, whatever the gradient", async () => {
  const [p, m, v] = [1, 2, 3].map((seed) => randomTensor([5], seed));
  const gradient = tensor(gpu, Float32Array.of(1, NaN, Infinity, 0, -1), [5]);
  const state = { gradient, m: m!.tensor, v: v!.tensor, control: control(1, 0) };
  adamw(p!.tensor, state, { ...RATES, step: 2 });
  expect(await read(p!.tensor, m!.tensor, v!.tensor)).toEqual([p!.data, m!.data, v!.data]);
});

test("adamw() leaves a weight without gradient and decay where it is", async () => {
  const p = randomTensor([3]);
  const [gradient, m, v] = [0, 0, 0].map(() => tensor(gpu, new Float32Array(3), [3]));
  adamw(p.tensor, { gradient: gradient!, m: m!, v: v!, control: control(1, 1) }, { ...RATES, weightDecay: 0, step: 1 });
  expect(await read(p.tensor)).toEqual([p.data]);
});

test("adamw() refuses other shapes", () => {
  const [p, other] = [randomTensor([2, 3]).tensor, randomTensor([3, 2]).tensor];
  expect(() => adamw(p, { gradient: other, m: p, v: p, control: control(1, 1) }, { ...RATES, step: 1 })).toThrow(
    "gradient must be [2, 3]: it is [3, 2]",
  );
  expect(() => adamw(p, { gradient: p, m: p, v: p, control: p }, { ...RATES, step: 1 })).toThrow("control must be [2]");
});

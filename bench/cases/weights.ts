import { adamw, emaUpdate, globalNorm, swap, tensor } from "@fluxsr/kernels";
import { type Case, ofResults, type Row, someOf } from "../case.ts";
import { plainCase } from "../plain.ts";
import { picks, random } from "../random.ts";
import type { WEIGHTS } from "../shapes/weights.ts";

type WeightsRow = (typeof WEIGHTS)[number];

const RATES = { lr: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 };
const DECAY = 0.75;

/** The first step, before which both averages are 0: `p (1 - lr decay) - lr g / (|g| + eps)`. */
export function adamwCase({ name, origin, count }: WeightsRow): Case {
  return {
    name: `adamw/${name}`,
    shape: `${count}`,
    origin,
    bytes: 4 * 7 * count, // p, m and v are read and written
    open(gpu) {
      const [weights, slopes] = [random(count, 1), random(count, 2)];
      const [p, gradient] = [tensor(gpu, weights, [count]), tensor(gpu, slopes, [count])];
      const [m, v] = [tensor(gpu, new Float32Array(count), [count]), tensor(gpu, new Float32Array(count), [count])];
      const control = tensor(gpu, new Float32Array([1, 1]), [2]);
      const { lr, eps, weightDecay } = RATES;
      return {
        inputs: [p, gradient, m, v, control],
        changed: [p],
        run() {
          adamw(p, { gradient, m, v, control }, { ...RATES, step: 1 });
          return [];
        },
        samples: () =>
          picks(count, 64).map((at) => {
            const g = slopes[at]!;
            return { at, expected: weights[at]! * (1 - lr * weightDecay) - lr * g / (Math.abs(g) + eps) };
          }),
      };
    },
  };
}

export function emaCase({ name, origin, count }: WeightsRow): Case {
  return {
    name: `ema/${name}`,
    shape: `${count}`,
    origin,
    bytes: 4 * 3 * count,
    open(gpu) {
      const [old, values] = [random(count, 1), random(count, 2)];
      const [average, x] = [tensor(gpu, old, [count]), tensor(gpu, values, [count])];
      const control = tensor(gpu, new Float32Array([1, 1]), [2]);
      return {
        inputs: [average, x, control],
        changed: [average],
        run() {
          emaUpdate(average, x, { decay: DECAY, control });
          return [];
        },
        samples: () => picks(count, 64).map((at) => ({ at, expected: DECAY * old[at]! + (1 - DECAY) * values[at]! })),
      };
    },
  };
}

/** Weights and their average change places, and back again in the next run. */
export function swapCase({ name, origin, count }: WeightsRow): Case {
  return {
    name: `swap/${name}`,
    shape: `${count}`,
    origin,
    bytes: 4 * 4 * count,
    open(gpu) {
      const values = [random(count, 1), random(count, 2)] as const;
      const [a, b] = [tensor(gpu, values[0], [count]), tensor(gpu, values[1], [count])];
      return {
        inputs: [a, b],
        changed: [a, b],
        run() {
          swap(a, b);
          return [];
        },
        samples: () => ofResults(values.toReversed().map(someOf)),
      };
    },
  };
}

export function globalNormCase({ name, origin, count }: Row<{ readonly count: number }>): Case {
  return plainCase({
    name: `global_norm/${name}`,
    shape: `${count}`,
    origin,
    elements: count,
    inputs: [[count]],
    run: (x) => globalNorm([x!]),
    samples: (x) => [{ at: 0, expected: Math.sqrt(x!.reduce((sum, value) => sum + value ** 2, 0)) }],
  });
}

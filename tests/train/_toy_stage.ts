import { type Gpu, mean, multiply, scale, scoped, subtract, type Tensor, tensor } from "@fluxsr/kernels";
import type { Batch, Stage } from "../../packages/train/stage.ts";
import { randomOf } from "../../packages/train/random.ts";

const SIZE = 7;
/** One black pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

interface ToyBatch extends Batch {
  readonly target: Tensor;
}

/** Weights that follow noisy targets: two terms in one group, one in another; quick, and random as real stages are. */
export class ToyStage implements Stage<ToyBatch> {
  readonly gpu: Gpu;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** A target that is not finite from this step on, counted from 0. */
  readonly #badFrom: number;
  /** The batches that steps were made of. */
  readonly used: string[] = [];
  readonly groups: Stage<ToyBatch>["groups"];

  /** @param options `onUse` is told of each batch that a step is made of */
  constructor(
    gpu: Gpu,
    { badFrom = Infinity, onUse = () => {} }: { badFrom?: number; onUse?: (name: string) => void } = {},
  ) {
    this.gpu = gpu;
    this.#badFrom = badFrom;
    this.weights = new Map(["a", "b"].map((name) => [name, tensor(gpu, new Float32Array(SIZE).fill(1), [SIZE])]));
    const [a, b] = [...this.weights.values()] as [Tensor, Tensor];
    const squared = (x: Tensor, y: Tensor) => {
      const residual = subtract(x, y);
      return mean(multiply(residual, residual));
    };
    this.groups = [
      {
        weights: { near: 1, small: 0.1 },
        loss: ({ target, samples }) => {
          this.used.push(...samples);
          samples.forEach(onUse);
          return scoped(gpu, () => ({ near: squared(a, target), small: mean(multiply(b, b)) }));
        },
      },
      { weights: { same: 0.5 }, loss: () => scoped(gpu, () => ({ same: squared(a, scale(b, 2)) })) },
    ];
  }

  batch({ step, part }: { step: number; part: number }): Promise<ToyBatch> {
    const random = randomOf(3, "toy", step, part);
    const values = Float32Array.from({ length: SIZE }, () => step >= this.#badFrom ? NaN : random.normal());
    const target = tensor(this.gpu, values, [SIZE]);
    const name = `toy ${step}.${part}`;
    return Promise.resolve({ target, samples: [name], [Symbol.dispose]: () => target.dispose() });
  }

  validate() {
    return Promise.resolve({ figures: { size: SIZE }, sheet: Uint8Array.fromBase64(PNG) });
  }

  writeResult() {
    return Promise.resolve(["toy"]);
  }

  [Symbol.dispose](): void {
    for (const each of this.weights.values()) each.dispose();
  }
}

import { sizeOf } from "@fluxsr/kernels";
import { hashBits } from "../hash_bits.ts";
import { type WeightSource, weightSource } from "../weights/weight_source.ts";

/** What stands for a file of weights where none is given. */
export const PSEUDO_RANDOM = "pseudo-random VGG16";

/**
 * Weights of the given `shapes`, the same everywhere: element i of a tensor is made from `u`, the hash of i and the
 * tensor's seed, in [0, 1). Convolutions get `(2u - 1) sqrt(6 / fan-in)`, which keeps the size of values through ReLU
 * (He et al. 2015, https://arxiv.org/abs/1502.01852), biases `0.01 (2u - 1)`, and the heads [C] of LPIPS `u / C`;
 * `alpha` and `beta` of DISTS are 1.
 *
 * @param options.seeds by name; by default tensors count from 1
 */
export function pseudoRandomVgg16(
  shapes: ReadonlyMap<string, readonly number[]>,
  { seeds = new Map([...shapes.keys()].map((name, i) => [name, i + 1])) }: { seeds?: ReadonlyMap<string, number> } = {},
): WeightSource {
  return weightSource({
    path: PSEUDO_RANDOM,
    tensors: new Map([...shapes].map(([name, shape]) => [name, { dtype: "F32", shape }])),
    metadata: {},
    read(name) {
      const shape = shapes.get(name) ?? [];
      const element = distribution(name, shape);
      // 2^32 divided by the golden ratio keeps the counters of different seeds apart.
      const start = Math.imul(seeds.get(name) ?? 0, 0x9e3779b9);
      const values = new Float32Array(sizeOf(shape));
      for (let i = 0; i < values.length; i++) values[i] = element(hashBits(start + i) / 2 ** 32);
      return Promise.resolve({ dtype: "F32", shape, bytes: new Uint8Array(values.buffer) });
    },
    close() {},
  });
}

/** How an element is made from a number in [0, 1). */
function distribution(name: string, shape: readonly number[]): (u: number) => number {
  const [outputs = 1, ...inputs] = shape;
  if (inputs.length > 0) {
    const bound = Math.sqrt(6 / sizeOf(inputs));
    return (u) => (2 * u - 1) * bound;
  }
  if (name === "alpha" || name === "beta") return () => 1;
  return name.endsWith("bias") ? (u) => 0.01 * (2 * u - 1) : (u) => u / outputs;
}

import type { Gpu } from "../gpu/gpu.ts";
import { type Access, groups1d, kernel } from "../gpu/kernel.ts";
import { empty, type Shape, type Tensor } from "../tensor/tensor.ts";
import philox from "./_philox.wgsl" with { type: "text" };
import source from "./noise.wgsl" with { type: "text" };

const WORKGROUP = 64;
const WORD = 2 ** 32;

function build<B extends string>(entry: string, binds: Readonly<Record<B, Access>>) {
  return kernel({
    name: `noise.${entry}`,
    sources: [philox, source],
    entry,
    binds,
    params: {
      count: "u32",
      skip: "u32",
      counter_0: "u32",
      counter_1: "u32",
      counter_2: "u32",
      counter_3: "u32",
      key_0: "u32",
      key_1: "u32",
    },
  });
}

export const kernels = { normal: build("normal", { y: "write" }), words: build("words", { raw: "write" }) };

/**
 * Standard normal noise: element i depends on `seed` and `offset + i` alone, so that parts of a stream can be made apart.
 *
 * Philox 4x32-10 and Box-Muller in f32: the words are the same everywhere, the last bits of the values vary with the
 * adapter's logarithm and sine.
 * @throws {RangeError} unless `seed` and `offset` are whole numbers from 0 to 2^53 - 1
 */
export function normalNoise(gpu: Gpu, shape: Shape, { seed, offset = 0 }: { seed: number; offset?: number }): Tensor {
  for (const [name, value] of Object.entries({ seed, offset })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(
        `Cannot run "normal_noise": ${name} must be a whole number from 0 to 2^53 - 1: it is ${value}`,
      );
    }
  }
  const y = empty(gpu, shape);
  const skip = offset % 4;
  const counter = (offset - skip) / 4;
  gpu.run(kernels.normal, {
    buffers: [y.buffer],
    params: {
      count: y.size,
      skip,
      counter_0: counter % WORD,
      counter_1: Math.floor(counter / WORD),
      counter_2: 0,
      counter_3: 0,
      key_0: seed % WORD,
      key_1: Math.floor(seed / WORD),
    },
    groups: groups1d((y.size + skip) / 4, WORKGROUP),
  });
  return y;
}

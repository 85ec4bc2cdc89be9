import { groups1d, kernel } from "../gpu/kernel.ts";
import { scoped } from "../tensor/scope.ts";
import { record } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import philox from "./_philox.wgsl" with { type: "text" };
import quantization from "./_quantize.wgsl" with { type: "text" };
import { requireShape } from "./_shapes.ts";
import source from "./poisson.wgsl" with { type: "text" };

const WORKGROUP = 64;
const common = { sources: [philox, quantization, source], params: { count: "u32", seed: "u32" } } as const;

export const kernels = {
  forward: kernel({
    ...common,
    name: "poisson_noise",
    entry: "forward",
    binds: { x: "read", n: "read", y: "write" },
  }),
  levels: kernel({
    ...common,
    name: "poisson_levels",
    entry: "levels",
    binds: { x: "read", levels_out: "write" },
    constants: { WORKGROUP: 256 },
  }),
};

/** The number of different levels of x in 8 bits, rounded up to a power of two: `x [...] -> [1]`; without gradient. */
export function poissonLevels(x: Tensor): Tensor {
  requireShape("poisson_levels", { x }, x.shape);
  if (x.size === 0) throw new RangeError('Cannot run "poisson_levels": x must have elements: it has none');
  const y = empty(x.gpu, [1]);
  x.gpu.run(kernels.levels, {
    buffers: [x.buffer, y.buffer],
    params: { count: x.size, seed: 0 },
    groups: [1, 1, 1],
  });
  return record("poisson_levels", y, { inputs: [x] });
}

/**
 * The noise of counting photons, to be added to a picture in [0, 1], of any shape: `Poisson(n q) / n - q` with q the
 * picture in 8 bits and n its {@linkcode poissonLevels}. Mean 0, variance q / n; without gradient.
 *
 * @param options.seed a whole number below 2^32; the same gives the same noise
 * @throws {RangeError} for another seed, or if x has no elements
 */
export function poissonNoise(x: Tensor, { seed }: { seed: number }): Tensor {
  return scoped(x.gpu, () => {
    const n = poissonLevels(x);
    const y = empty(x.gpu, x.shape);
    x.gpu.run(kernels.forward, {
      buffers: [x.buffer, n.buffer, y.buffer],
      params: { count: x.size, seed },
      groups: groups1d(x.size, WORKGROUP),
    });
    return record("poisson_noise", y, { inputs: [x] });
  });
}

import { type Groups, groups1d, kernel } from "../gpu/kernel.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { requireShape, sizes } from "./_shapes.ts";
import reduce from "./_workgroup_reduce.wgsl" with { type: "text" };
import source from "./feature_distance.wgsl" with { type: "text" };

const common = {
  sources: [reduce, source],
  params: { batches: "u32", positions: "u32", channels: "u32" },
} as const;

export const kernels = {
  forward: kernel({
    ...common,
    name: "feature_distance.forward",
    entry: "forward",
    binds: { f: "read", g: "read", weight: "read", distances: "write" },
  }),
  average: kernel({
    ...common,
    name: "feature_distance.average",
    entry: "average",
    binds: { parts: "read", y: "write" },
    constants: { WORKGROUP: 256 },
  }),
  backward: kernel({
    ...common,
    name: "feature_distance.backward",
    entry: "backward",
    binds: { f: "read", g: "read", weight: "read", dy: "read", df: "write" },
  }),
};

/**
 * How far features are apart at one tap of LPIPS: `f, g [B, h, w, C], weight [C] -> [B]`.
 *
 * Both are divided by their length over the channels, plus 1e-10; squared differences are summed with `weight` and
 * averaged over positions (Zhang et al. 2018, https://arxiv.org/abs/1801.03924, Eq. 1). Only `f` has a gradient.
 * @throws {TypeError} if shapes do not fit, or a gradient of `g` or `weight` would be needed
 */
export function featureDistance(f: Tensor, g: Tensor, { weight }: { weight: Tensor }): Tensor {
  const [batches, height, width, channels] = sizes("feature_distance", f, ["B", "h", "w", "C"]);
  requireShape("feature_distance", { g }, f.shape);
  requireShape("feature_distance", { weight }, [channels]);
  if (tracked(g) || tracked(weight)) {
    throw new TypeError('Cannot run "feature_distance": only f has a gradient: g or weight is tracked');
  }
  const positions = height * width;
  const run = (kernel: (typeof kernels)[keyof typeof kernels], tensors: readonly Tensor[], groups: Groups) =>
    f.gpu.run(kernel, {
      buffers: tensors.map(({ buffer }) => buffer),
      params: { batches, positions, channels },
      groups,
    });
  using distances = empty(f.gpu, [batches, positions]);
  run(kernels.forward, [f, g, weight, distances], groups1d(distances.size, 1));
  const y = empty(f.gpu, [batches]);
  run(kernels.average, [distances, y], [batches, 1, 1]);
  return record("feature_distance", y, [f, g, weight], (dy) => {
    requireShape("feature_distance", { dy }, [batches]);
    const df = empty(f.gpu, f.shape);
    run(kernels.backward, [f, g, weight, dy, df], groups1d(batches * positions, 1));
    return [df];
  });
}

import { type Kernel, kernel } from "../gpu/kernel.ts";
import { variants } from "../gpu/variants.ts";
import { record, tracked } from "../tensor/tape.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElem, widest } from "./_elem.ts";
import scalar from "./_elem_scalar.wgsl" with { type: "text" };
import { requireShape, sizes } from "./_shapes.ts";
import { type Team, teamGroups, teamOf, teamSum } from "./_team.ts";
import source from "./feature_distance.wgsl" with { type: "text" };

const params = { batches: "u32", positions: "u32", channels: "u32" } as const;

const forward = variants(({ team, workgroup }: Team) =>
  byElem((elem) =>
    kernel({
      name: "feature_distance.forward",
      sources: [elem, teamSum, source],
      entry: "forward",
      binds: { f: "read", g: "read", weight: "read", results: "write" },
      params,
      constants: { TEAM: team, WORKGROUP: workgroup },
    })
  )
);
const average = kernel({
  name: "feature_distance.average",
  sources: [scalar, teamSum, source],
  entry: "average",
  binds: { parts: "read", y: "write" },
  params,
  constants: { TEAM: 256, WORKGROUP: 256 },
});
const backward = variants(({ team, workgroup }: Team) =>
  byElem((elem) =>
    kernel({
      name: "feature_distance.backward",
      sources: [elem, teamSum, source],
      entry: "backward",
      binds: { f: "read", g: "read", weight: "read", sums: "read", dy: "read", df: "write" },
      params,
      constants: { TEAM: team, WORKGROUP: workgroup },
    })
  )
);

export const kernels: Readonly<Record<string, Kernel>> = {
  forward_scalar: forward({ team: 64, workgroup: 64 }).scalar,
  forward_vec4: forward({ team: 1, workgroup: 8 }).vec4,
  average,
  backward_scalar: backward({ team: 64, workgroup: 64 }).scalar,
  backward_vec4: backward({ team: 1, workgroup: 8 }).vec4,
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
  const { gpu } = f;
  const positions = height * width;
  const buffersOf = (...tensors: readonly Tensor[]) => tensors.map(({ buffer }) => buffer);
  // The gradient needs them too.
  using sums = empty(gpu, [batches, positions, 4]);
  const y = empty(gpu, [batches]);
  const team = teamOf(gpu, channels);
  const { kernel, lanes } = widest(forward(team), channels);
  gpu.run(kernel, {
    buffers: buffersOf(f, g, weight, sums),
    params: { batches, positions, channels: channels / lanes },
    groups: teamGroups(team, batches * positions),
  });
  gpu.run(average, {
    buffers: buffersOf(sums, y),
    params: { batches, positions, channels },
    groups: [batches, 1, 1],
  });
  return record("feature_distance", y, {
    inputs: [f, g, weight, sums],
    saved: [f, g, weight, sums],
    backward: (dy) => {
      requireShape("feature_distance", { dy }, [batches]);
      const df = empty(gpu, f.shape);
      const { kernel, lanes } = widest(backward(team), channels);
      gpu.run(kernel, {
        buffers: buffersOf(f, g, weight, sums, dy, df),
        params: { batches, positions, channels: channels / lanes },
        groups: teamGroups(team, batches * positions),
      });
      return [df];
    },
  });
}

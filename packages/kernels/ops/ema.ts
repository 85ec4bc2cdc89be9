import { groups1d, kernel } from "../gpu/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { requireShape } from "./_shapes.ts";
import source from "./ema.wgsl" with { type: "text" };

const WORKGROUP = 64;

export const kernels = {
  update: kernel({
    name: "ema",
    sources: [source],
    entry: "update",
    binds: { average: "read_write", x: "read", control: "read" },
    params: { count: "u32", rate: "f32" },
  }),
};

/**
 * Moves `average [...]` in place to `decay average + (1 - decay) x`, unless `control [2]` says stop
 * ({@linkcode gradientControl}). No tape sees it.
 * @throws {TypeError} if shapes differ or a tensor is not f32
 */
export function emaUpdate(average: Tensor, x: Tensor, { decay, control }: { decay: number; control: Tensor }): void {
  requireShape("ema", { average, x }, average.shape);
  requireShape("ema", { control }, [2]);
  const count = Math.ceil(average.size / 4);
  average.gpu.run(kernels.update, {
    buffers: [average, x, control].map(({ buffer }) => buffer),
    params: { count, rate: 1 - decay },
    groups: groups1d(count, WORKGROUP),
  });
}

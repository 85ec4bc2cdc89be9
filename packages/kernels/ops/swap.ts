import { groups1d, kernel } from "../gpu/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { requireShape } from "./_shapes.ts";
import source from "./swap.wgsl" with { type: "text" };

const WORKGROUP = 64;

export const kernels = {
  exchange: kernel({
    name: "swap",
    sources: [source],
    entry: "exchange",
    binds: { a: "read_write", b: "read_write" },
    params: { count: "u32" },
  }),
};

/**
 * Exchanges the values of `a [...]` and `b [...]` in place, e.g. weights and their running average. No tape sees it.
 * @throws {TypeError} if shapes differ or a tensor is not f32
 */
export function swap(a: Tensor, b: Tensor): void {
  requireShape("swap", { a, b }, a.shape);
  a.gpu.run(kernels.exchange, {
    buffers: [a.buffer, b.buffer],
    params: { count: a.size },
    groups: groups1d(a.size, WORKGROUP),
  });
}

import { DryGpu, empty, type Gpu, matmul, type Shape, split, tensor } from "@fluxsr/kernels";
import { type Adapter, Linear } from "../nn/linear.ts";
import type { Module } from "../nn/module.ts";
import type { LoraAdapter } from "./adapter.ts";

/** Attaches adapters to the linear layers of `module` that they are named after; they are applied on the fly. */
export function attachLora(gpu: Gpu, module: Module, adapters: ReadonlyMap<string, LoraAdapter>): void {
  const layers = new Map(module.modules());
  // A dry GPU holds nothing: the values need not be made.
  const factor = (values: () => LoraAdapter["a"], shape: Shape) =>
    gpu instanceof DryGpu ? empty(gpu, shape) : tensor(gpu, values(), shape);
  for (const [name, adapter] of adapters) {
    const layer = layers.get(name);
    if (!(layer instanceof Linear)) {
      throw new RangeError(`Cannot attach a LoRA: the network has no linear layer "${name}"`);
    }
    const { rank, scale } = adapter;
    layer.adapter = {
      a: factor(() => adapter.a, [rank, adapter.in]),
      b: factor(() => adapter.b, [adapter.out, rank]),
      scale,
    };
  }
}

/** The adapters attached to linear layers of `module`, by the layers' names. */
export function attachedLora(module: Module): Map<string, Adapter> {
  return new Map(
    [...module.modules()].flatMap(([name, layer]) =>
      layer instanceof Linear && layer.adapter ? [[name, layer.adapter] as const] : []
    ),
  );
}

/**
 * Adds every attached adapter to its weight, `W + scale B A`, and takes it off; the weights must be f32.
 *
 * @throws {TypeError} if a weight is stored in f16 or bf16: rounding the sum would lose what the adapter learnt
 */
export function mergeLora(module: Module): void {
  for (const [name, layer] of module.modules()) {
    if (!(layer instanceof Linear) || !layer.adapter) continue;
    const { a, b, scale } = layer.adapter;
    const { parts } = layer.weight;
    const packed = parts.find(({ dtype }) => dtype !== "f32");
    if (packed) {
      throw new TypeError(`Cannot merge a LoRA into "${name}": the weight must be f32: it is ${packed.dtype}`);
    }
    const rows = split(b, 0, parts.map(({ shape }) => shape[0] ?? 0));
    layer.weight.parts = parts.map((base, i) => matmul(rows[i]!, a, { alpha: scale, addend: base }));
    for (const part of rows) part.dispose();
    layer.adapter = undefined;
  }
}

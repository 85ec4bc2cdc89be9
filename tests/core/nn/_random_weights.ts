import type { Module } from "../../../packages/core/nn/module.ts";
import { random } from "../../helpers/gpu.ts";
import { memorySource } from "../weights/_memory_source.ts";

/** Values by name. */
export type Named = Map<string, { shape: readonly number[]; values: Float32Array<ArrayBuffer> }>;

/** Weights for all parameters of `module` that keep values about as large as they are. */
export function randomWeights(module: Module, seed = 1): Named {
  return new Map([...module.parameters()].map(([name, { shape }], i) => {
    const values = random(shape, seed * 1000 + i);
    const inputs = shape.slice(1).reduce((product, size) => product * size, 1);
    const isScale = shape.length === 1 && !name.endsWith("bias");
    const spread = shape.length === 1 ? 0.3 : Math.sqrt(3 / inputs);
    return [name, { shape, values: values.map((value) => (isScale ? 1 : 0) + spread * value) }];
  }));
}

/** A map of weights that notes which names are read. */
export function watched<T>(weights: ReadonlyMap<string, T>): { weights: ReadonlyMap<string, T>; used: Set<string> } {
  const used = new Set<string>();
  const get = (name: string) => {
    used.add(name);
    return weights.get(name);
  };
  return { used, weights: Object.assign(new Map<string, T>(), { get }) };
}

/** The weights as a source for `loadModule()`. */
export function sourceOf(weights: Named) {
  return memorySource(Object.fromEntries(weights));
}

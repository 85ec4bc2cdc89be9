import type { Gpu } from "@fluxsr/kernels";
import { loadModule } from "../nn/load.ts";
import type { Module } from "../nn/module.ts";
import { renamedSource } from "../weights/renamed_source.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/** A loaded text encoder; disposing it frees its memory on the GPU at once. */
export interface LoadedEncoder extends Disposable {
  /** What it makes of the tokens of a text. */
  encode(ids: readonly number[]): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * Loads the parameters of `module`, packed as they are stored. What else `source` has, such as the embedding of the
 * tokens, is not looked at.
 * @throws {InputError} if a tensor is missing, has another shape, or is not finite
 */
export async function loadEncoder(
  gpu: Gpu,
  module: Module,
  { source }: { readonly source: WeightSource },
): Promise<void> {
  const names = [...module.parameters()].map(([name]) => name).filter((name) => source.tensors.has(name));
  const own = renamedSource(source, new Map(names.map((name) => [name, { parts: [name] }])));
  await loadModule(gpu, module, { source: own, precision: "native" });
}

import type { Gpu } from "@fluxsr/kernels";
import { Loader } from "../nn/load.ts";
import type { Module } from "../nn/module.ts";
import { renamedSource } from "../weights/renamed_source.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/** A loaded text encoder; disposing it frees its memory on the GPU at once. */
export interface LoadedEncoder extends Disposable {
  /**
   * What it makes of the tokens of each of `texts`, the same whatever texts go with one.
   * @param signal ends the work, with its reason
   */
  encode(texts: readonly (readonly number[])[], signal?: AbortSignal): Promise<readonly Float32Array<ArrayBuffer>[]>;
}

/**
 * A loader of the parameters of `module`, packed as they are stored. What else `source` has, such as the embedding of the
 * tokens, is not looked at.
 * @throws {InputError} if a tensor is missing, or has another shape
 */
export function encoderLoader(gpu: Gpu, module: Module, { source }: { readonly source: WeightSource }): Loader {
  const names = [...module.parameters()].map(([name]) => name).filter((name) => source.tensors.has(name));
  const own = renamedSource(source, new Map(names.map((name) => [name, { parts: [name] }])));
  const loader = new Loader(gpu, { source: own, precision: "native" });
  loader.check(module);
  return loader;
}

import { read } from "@fluxsr/kernels";
import { fromF32, type WeightDtype } from "../weights/dtypes/dtype.ts";
import type { TensorData } from "../weights/safetensors/safetensors.ts";
import { permuted } from "./permuted.ts";
import type { Module } from "./module.ts";

/**
 * The parameters of `module` as a checkpoint holds them, which is what `loadModule` takes: by property path, with their
 * axes in the checkpoint's order. All are read back in one wait.
 *
 * @param options `dtype` is what they are rounded to
 * @throws {TypeError} if a weight is packed on the GPU
 */
export async function moduleTensors(
  module: Module,
  { dtype }: { dtype: WeightDtype },
): Promise<[string, TensorData][]> {
  const parameters = [...module.parameters()];
  const values = await read(...parameters.map(([, { tensor }]) => tensor));
  return parameters.map(([name, { shape, axes, tensor }], i) => {
    const stored = values[i]!;
    // Axis k of the checkpoint is where `axes` names k.
    const plain = axes ? permuted(stored, tensor.shape, axes.map((_, axis) => axes.indexOf(axis))) : stored;
    return [name, { dtype, shape, bytes: fromF32(plain, dtype) }];
  });
}

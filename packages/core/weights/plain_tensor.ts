import { isReadableDtype } from "./dtypes/dequantize.ts";
import { fromF32, isWeightDtype } from "./dtypes/dtype.ts";
import type { TensorData } from "./safetensors/safetensors.ts";
import type { WeightSource } from "./weight_source.ts";

/**
 * Tensor `name` of `source` as a safetensors file can hold it alone: as it is stored, or F32 if it is quantised.
 * @throws {InputError} if there is no such tensor or it cannot be read
 */
export async function plainTensor(source: WeightSource, name: string): Promise<TensorData> {
  const { dtype, shape, bytes } = await source.read(name);
  if (!isReadableDtype(dtype) || isWeightDtype(dtype)) return { dtype, shape, bytes };
  return { dtype: "F32", shape, bytes: fromF32(await source.readF32(name), "F32") };
}

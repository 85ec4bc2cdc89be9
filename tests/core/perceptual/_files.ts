import proto from "onnx-proto";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";

/** Tensors by the names that a file gives them. */
export type Named = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;

/** Writes `tensors` in F32. */
export function writeF32(path: string, tensors: Named): Promise<void> {
  const entries = [...tensors].map(([name, { shape, values }]) =>
    [name, { dtype: "F32" as const, shape, bytes: fromF32(values, "F32") }] as const
  );
  return writeSafetensors(path, entries);
}

/** Writes an ONNX model with `tensors` as initializers, in turn as bytes and as a list of numbers. */
export function writeOnnx(path: string, tensors: Named): void {
  const { ModelProto } = proto.onnx;
  const initializer = [...tensors].map(([name, { shape, values }], i) => ({
    name,
    dims: [...shape],
    dataType: 1,
    ...(i % 2 === 0 ? { rawData: fromF32(values, "F32") } : { floatData: [...values] }),
  }));
  Deno.writeFileSync(path, ModelProto.encode({ graph: { initializer } }).finish());
}

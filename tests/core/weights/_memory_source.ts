import { fromF32, type WeightDtype } from "../../../packages/core/weights/dtypes/dtype.ts";
import { type WeightSource, weightSource } from "../../../packages/core/weights/weight_source.ts";

/** Values and shape of a tensor of a test. */
export interface TestTensor {
  readonly shape: readonly number[];
  readonly values?: ArrayLike<number>;
  readonly dtype?: WeightDtype;
}

/** A source without a file; without `values` a tensor counts up: 0, 1, 2, ... */
export function memorySource(
  tensors: Readonly<Record<string, TestTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): WeightSource {
  return weightSource({
    path: "memory",
    metadata,
    tensors: new Map(Object.entries(tensors).map(([name, { shape, dtype = "F32" }]) => [name, { dtype, shape }])),
    read(name) {
      const { shape, values, dtype = "F32" } = tensors[name]!;
      const length = shape.reduce((product, size) => product * size, 1);
      const numbers = Float32Array.from(values ?? { length }, (value, i) => values ? value as number : i);
      return Promise.resolve({ dtype, shape, bytes: fromF32(numbers, dtype) });
    },
    close() {},
  });
}

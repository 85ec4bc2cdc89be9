import { describe, expect, test } from "vitest";
import { Conv2d } from "../../../packages/core/nn/conv2d.ts";
import { Linear } from "../../../packages/core/nn/linear.ts";
import { loadModule } from "../../../packages/core/nn/load.ts";
import type { Module } from "../../../packages/core/nn/module.ts";
import { moduleTensors } from "../../../packages/core/nn/module_tensors.ts";
import { fromF32, type WeightDtype } from "../../../packages/core/weights/dtypes/dtype.ts";
import { gpu } from "../../helpers/gpu.ts";
import { randomWeights, sourceOf } from "./_random_weights.ts";

describe("moduleTensors()", () => {
  test.each<[string, WeightDtype, Module]>([
    ["a convolution", "F32", new Conv2d(3, 5, { size: 3 })],
    ["a convolution", "F16", new Conv2d(5, 2, { size: 1 })],
    ["a linear layer", "BF16", new Linear(3, 7)],
  ])("gives back what was loaded: %s in %s", async (_, dtype, module) => {
    const weights = randomWeights(module);
    await loadModule(gpu, module, { source: sourceOf(weights), precision: "f32" });
    const wanted = [...weights].map(([name, { shape, values }]) => [name, {
      dtype,
      shape,
      bytes: fromF32(values, dtype),
    }]);
    expect(await moduleTensors(module, { dtype })).toEqual(wanted);
    module.dispose();
  });
});

import { loadModel, type Model, openWeights, permuted, type WeightSource } from "@fluxsr/core";
import { read, tensor } from "@fluxsr/kernels";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gpu, scaledError } from "../helpers/gpu.ts";
import { restoredByStages } from "../helpers/stages.ts";
import { STARTER } from "../helpers/starter.ts";

/**
 * Of the largest value: on llvmpipe stages agree with PyTorch to 5e-6, and other adapters' divisions and exponentials are
 * allowed some more; one norm that is not scaled shows as 2e-4.
 */
const TOLERANCE = 5e-5;
const REFERENCE = new URL("../fixtures/starter/reference.safetensors", import.meta.url).pathname;

describe.each(["f32", "native"] as const)("one step with the starter in %s precision", (precision) => {
  let model: Model;
  let reference: WeightSource;

  beforeAll(async () => {
    model = await loadModel(gpu, STARTER, { precision });
    reference = await openWeights(REFERENCE);
  });
  afterAll(() => {
    model.dispose();
    reference.close();
  });

  /** A tensor [1, C, h, w] of the reference, channels last. */
  async function channelsLast(name: string) {
    const shape = reference.tensors.get(name)?.shape ?? [];
    const [, channels = 0, height = 0, width = 0] = shape;
    const data = permuted(await reference.readF32(name), shape, [0, 2, 3, 1]);
    return { data, shape: [1, height, width, channels] };
  }

  test.each(["flower", "motorcycle_left", "goldfish"])("reproduces PyTorch's stages for %s", async (picture) => {
    const { data, shape } = await channelsLast(`upsampled.${picture}`);
    using x = tensor(gpu, data, shape);
    const errors: Record<string, number> = {};
    await restoredByStages(model, x, async (name, value) => {
      const [actual = new Float32Array()] = await read(value);
      errors[name] = scaledError(actual, (await channelsLast(`${name}.${picture}`)).data);
    });
    expect(Object.keys(errors)).toEqual(["z_L", "v", "z_0hat", "x_0hat"]);
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(TOLERANCE);
  });
});

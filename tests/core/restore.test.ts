import { loadModel, type Model, openWeights, permuted, restore, type WeightSource } from "@fluxsr/core";
import { read, tensor } from "@fluxsr/kernels";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gpu, scaledError } from "../helpers/gpu.ts";
import { STARTER } from "../helpers/starter.ts";

/**
 * Of the largest value: on llvmpipe stages agree with PyTorch to 5e-6, and other adapters' divisions and exponentials are
 * allowed some more; one norm that is not scaled shows as 2e-4.
 */
const TOLERANCE = 5e-5;
const REFERENCE = new URL("../fixtures/starter/reference.safetensors", import.meta.url).pathname;
const TENSORS = { encode: "z_L", transformer: "v", step: "z_0hat", decode: "x_0hat" } as const;

describe.each(["f32", "native"] as const)("restore() with the starter in %s precision", (precision) => {
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
    using _ = await restore(model, x, {
      run: async (stage, work) => {
        const value = work();
        const name = TENSORS[stage as keyof typeof TENSORS];
        const [actual = new Float32Array()] = await read(value);
        errors[name] = scaledError(actual, (await channelsLast(`${name}.${picture}`)).data);
        return value;
      },
    });
    expect(Object.keys(errors)).toEqual(Object.values(TENSORS));
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(TOLERANCE);
  });
});

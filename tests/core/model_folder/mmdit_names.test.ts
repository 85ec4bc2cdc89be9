import { describe, expect, it } from "vitest";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { isMmdit, mmditNames } from "../../../packages/core/model_folder/mmdit_names.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import type { WeightSource } from "../../../packages/core/weights/weight_source.ts";
import { golden, messageOf } from "../weights/_files.ts";
import { memorySource, type TestTensor } from "../weights/_memory_source.ts";

/** Expects that both have the same names, shapes, dtypes and bytes. */
async function expectSame(source: WeightSource, wanted: WeightSource): Promise<void> {
  expect([...source.tensors.keys()].sort()).toEqual([...wanted.tensors.keys()].sort());
  for (const name of wanted.tensors.keys()) {
    const { dtype, shape } = source.tensors.get(name)!;
    const tensor = await source.read(name);
    expect(tensor).toEqual(await wanted.read(name));
    expect({ dtype, shape }).toEqual({ dtype: tensor.dtype, shape: tensor.shape });
  }
}

/** `tensors` with `prefix` before every name. */
function prefixed(prefix: string, tensors: Record<string, TestTensor>): Record<string, TestTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

/** The fewest tensors of a diffusers transformer that show every rule; heads and MLP are of width 2. */
const SMALL: Record<string, TestTensor> = {
  "x_embedder.weight": { shape: [2, 1] },
  "single_transformer_blocks.0.attn.to_q.bias": { shape: [2], values: [1, 2] },
  "single_transformer_blocks.0.attn.to_k.bias": { shape: [2], values: [3, 4] },
  "single_transformer_blocks.0.attn.to_v.bias": { shape: [2], values: [5, 6] },
  "single_transformer_blocks.0.proj_mlp.bias": { shape: [3], values: [7, 8, 9] },
  "single_transformer_blocks.0.attn.norm_q.weight": { shape: [2], values: [1, 1] },
  "norm_out.linear.bias": { shape: [4], values: [1, 2, 3, 4] },
};

describe("mmditNames()", () => {
  it("makes the golden diffusers file the BFL one, bit for bit", async () => {
    using diffusers = await openWeights(golden("mmdit-guidance-diffusers/weights.diffusers.safetensors"));
    using bfl = await openWeights(golden("mmdit-guidance/weights.safetensors"));
    expect(mmditNames(bfl)).toBe(bfl);
    await expectSame(mmditNames(diffusers), bfl);
  });

  it("stacks parts, swaps halves and renames scales", async () => {
    const source = mmditNames(memorySource(SMALL));
    expect([...source.tensors.keys()].sort()).toEqual([
      "final_layer.adaLN_modulation.1.bias",
      "img_in.weight",
      "single_blocks.0.linear1.bias",
      "single_blocks.0.norm.query_norm.scale",
    ]);
    expect([...await source.readF32("single_blocks.0.linear1.bias")]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...await source.readF32("final_layer.adaLN_modulation.1.bias")]).toEqual([3, 4, 1, 2]);
  });

  it.each(["model.diffusion_model.", "transformer."])(
    "takes prefix %s away, and tensors without it",
    async (prefix) => {
      const all = { ...prefixed(prefix, SMALL), "vae.encoder.conv_in.weight": { shape: [1] } };
      expect(isMmdit(memorySource(all).tensors)).toBe(true);
      await expectSame(mmditNames(memorySource(all)), mmditNames(memorySource(SMALL)));
      const bfl = { "img_in.weight": { shape: [2, 2] }, "img_in.bias": { shape: [2] } };
      await expectSame(mmditNames(memorySource(prefixed(prefix, bfl))), memorySource(bfl));
    },
  );

  it("stacks parts of different dtypes as F32, of one dtype as they are", async () => {
    const name = "single_transformer_blocks.0.attn.to_k.bias";
    const mixed = mmditNames(memorySource({ ...SMALL, [name]: { shape: [2], values: [3, 4], dtype: "BF16" } }));
    expect(await mixed.read("single_blocks.0.linear1.bias")).toEqual({
      dtype: "F32",
      shape: [9],
      bytes: fromF32(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), "F32"),
    });
    const halves = Object.fromEntries(
      Object.entries(SMALL).map(([key, tensor]) => [key, { ...tensor, dtype: "F16" as const }]),
    );
    const half = mmditNames(memorySource(halves));
    expect((await half.read("single_blocks.0.linear1.bias")).dtype).toBe("F16");
    expect([...await half.readF32("single_blocks.0.linear1.bias")]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("keeps names that it does not know, for the check to name", () => {
    const source = mmditNames(memorySource({ ...SMALL, "controlnet.weight": { shape: [1] } }));
    expect(source.tensors.has("controlnet.weight")).toBe(true);
  });

  it("refuses what is no FLUX transformer", async () => {
    const other = memorySource({ a: { shape: [] }, b: { shape: [] }, c: { shape: [] }, d: { shape: [] } });
    expect(isMmdit(other.tensors)).toBe(false);
    expect(await messageOf(() => mmditNames(other))).toBe(
      `Cannot load "memory": tensors must be those of a FLUX transformer: file has "a", "b", "c" (4 in all)`,
    );
  });

  it.each<[string, Record<string, TestTensor | undefined>, RegExp]>([
    [
      "a missing part",
      { "single_transformer_blocks.0.attn.to_v.bias": undefined },
      /^Cannot load "single_blocks.0.linear1.bias": its part "single_transformer_blocks.0.attn.to_v.bias" is missing$/,
    ],
    [
      "parts of different widths",
      {
        "transformer_blocks.0.attn.to_q.weight": { shape: [2, 2] },
        "transformer_blocks.0.attn.to_k.weight": { shape: [2, 3] },
        "transformer_blocks.0.attn.to_v.weight": { shape: [2, 2] },
      },
      /^Cannot load "double_blocks.0.img_attn.qkv.weight": its parts must agree in all but rows: "transformer_blocks.0.attn.to_q.weight" is \[2, 2\], "transformer_blocks.0.attn.to_k.weight" is \[2, 3\]$/,
    ],
    ["an odd number of rows to swap", { "norm_out.linear.bias": { shape: [3] } }, /rows must be even in number/],
    ["a name in both namings", { "img_in.weight": { shape: [2, 1] } }, /"img_in.weight": file has it in both namings$/],
    [
      "an absurd block",
      { "transformer_blocks.4294967295.norm1.linear.weight": { shape: [1] } },
      /a network must have at most 1024 blocks$/,
    ],
  ])("refuses %s", async (_, changes, message) => {
    const tensors = Object.entries({ ...SMALL, ...changes }).filter(([, tensor]) => tensor !== undefined);
    const source = memorySource(Object.fromEntries(tensors) as Record<string, TestTensor>);
    expect(await messageOf(() => mmditNames(source))).toMatch(message);
  });
});

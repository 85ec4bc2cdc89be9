import { describe, expect, it } from "vitest";
import { readLora } from "../../../packages/core/lora/lora_file.ts";
import { inputError, messageOf } from "../weights/_files.ts";
import { memorySource, type TestTensor } from "../weights/_memory_source.ts";
import { change, TINY } from "./_adapters.ts";

const read = async (tensors: Record<string, TestTensor>, metadata: Record<string, string> = {}) =>
  await readLora(memorySource(tensors, metadata), TINY);

/** A and B of ones on `module`, rank 1. */
function ones(module: string, { out, inner = 4 }: { out: number; inner?: number }): Record<string, TestTensor> {
  return {
    [`${module}.lora_A.weight`]: { shape: [1, inner], values: Array(inner).fill(1) },
    [`${module}.lora_B.weight`]: { shape: [out, 1], values: Array(out).fill(1) },
  };
}

describe("readLora()", () => {
  it("leaves the rows of absent parts as they are", async () => {
    const { adapters } = await read(ones("transformer.transformer_blocks.0.attn.add_k_proj", { out: 4 }));
    const adapter = adapters.get("double_blocks.0.txt_attn.qkv")!;
    expect(adapter).toMatchObject({ rank: 1, in: 4, out: 12, scale: 1 });
    const rows = [...change(adapter)].filter((_, i) => i % 4 === 0);
    expect(rows).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it("folds the scale of each part into its rows, whatever their ranks and order", async () => {
    const { adapters } = await read({
      ...ones("single_transformer_blocks.0.proj_mlp", { out: 8 }),
      "single_transformer_blocks.0.proj_mlp.alpha": { shape: [1], values: [3] },
      "single_transformer_blocks.0.attn.to_q.lora_A.weight": { shape: [2, 4], values: Array(8).fill(1) },
      "single_transformer_blocks.0.attn.to_q.lora_B.weight": { shape: [4, 2], values: Array(8).fill(1) },
      "single_transformer_blocks.0.attn.to_q.alpha": { shape: [], values: [0.5] },
    });
    const adapter = adapters.get("single_blocks.0.linear1")!;
    expect(adapter).toMatchObject({ rank: 3, in: 4, out: 20, scale: 1 });
    const rows = [...change(adapter)].filter((_, i) => i % 4 === 0);
    expect(rows).toEqual([...Array(4).fill(0.5), ...Array(8).fill(0), ...Array(8).fill(3)]);
  });

  it("keeps parts apart that have the same rank but another A", async () => {
    const tensors = {
      ...ones("single_transformer_blocks.0.attn.to_q", { out: 4 }),
      ...ones("single_transformer_blocks.0.attn.to_k", { out: 4 }),
      "single_transformer_blocks.0.attn.to_k.lora_A.weight": { shape: [1, 4], values: [1, 1, 1, 2] },
    };
    const { adapters } = await read(tensors);
    const adapter = adapters.get("single_blocks.0.linear1")!;
    expect(adapter.rank).toBe(2);
    expect([...change(adapter)].slice(12, 20)).toEqual([1, 1, 1, 1, 1, 1, 1, 2]);
  });

  it("exchanges the halves of norm_out's B: diffusers has scale first, BFL shift", async () => {
    const tensors = ones("transformer.norm_out.linear", { out: 8 });
    tensors["transformer.norm_out.linear.lora_B.weight"] = { shape: [8, 1], values: [1, 2, 3, 4, 5, 6, 7, 8] };
    const { adapters } = await read(tensors);
    expect([...adapters.get("final_layer.adaLN_modulation.1")!.b]).toEqual([5, 6, 7, 8, 1, 2, 3, 4]);
  });

  it("finds modules outside the blocks", async () => {
    const { adapters } = await read({
      ...ones("transformer.x_embedder", { out: 4, inner: 8 }),
      ...ones("transformer.context_embedder", { out: 4, inner: 5 }),
      ...ones("transformer.proj_out", { out: 8 }),
      ...ones("transformer.time_text_embed.text_embedder.linear_1", { out: 4, inner: 3 }),
    });
    expect([...adapters.keys()]).toEqual(["img_in", "txt_in", "final_layer.linear", "vector_in.in_layer"]);
  });

  it("reads F16 and BF16", async () => {
    for (const dtype of ["F16", "BF16"] as const) {
      const { adapters } = await read({
        "img_in.lora_A.weight": { shape: [1, 8], dtype },
        "img_in.lora_B.weight": { shape: [4, 1], dtype },
      });
      expect([...adapters.get("img_in")!.a]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    }
  });

  it("leaves text encoders out, and says so", async () => {
    const te = [
      ...["lora_te1_text_model_0.lora_down.weight", "text_encoder.x.lora_A.weight", "text_encoder_2.y.alpha"],
      "text_encoders.clip_l.z.lora_A.weight",
    ];
    const tensors = Object.fromEntries(te.map((key) => [key, { shape: [1, 1] }]));
    const { adapters, ignored } = await read({ ...ones("img_in", { out: 4, inner: 8 }), ...tensors });
    expect([...adapters.keys()]).toEqual(["img_in"]);
    expect(ignored).toEqual(te);
    expect(await messageOf(read(tensors))).toBe(
      `Cannot load LoRA "memory": file must have adapters for the transformer: it has none`,
    );
  });

  it("names up to three unknown keys", async () => {
    const keys = [
      "img_in.lora_magnitude_vector",
      "double_blocks.1.img_attn.qkv.lora_A.weight",
      "x.lora_A.weight",
      "y.alpha",
    ];
    const tensors = Object.fromEntries(keys.map((key) => [key, { shape: [1] }]));
    const error = await inputError(read({ ...ones("img_in", { out: 4, inner: 8 }), ...tensors }));
    const three = keys.slice(0, 3).map((key) => `"${key}"`).join(", ");
    expect(error.message).toBe(`Cannot load LoRA "memory": keys must be of this model: ${three} (4 in all)`);
    expect(error.hint).toContain("another model");
  });

  const IMG_IN = ones("img_in", { out: 4, inner: 8 });
  it.each<[string, Record<string, TestTensor>, RegExp]>([
    ["no B", { "img_in.lora_A.weight": { shape: [1, 8] } }, /"img_in" must have both factors: file lacks B \(up\)$/],
    ["no A", { "img_in.lora_B.weight": { shape: [4, 1] } }, /"img_in" must have both factors: file lacks A \(down\)$/],
    ["alpha alone", { "img_in.alpha": { shape: [] } }, /must have both factors/],
    [
      "another input size",
      { ...IMG_IN, "img_in.lora_A.weight": { shape: [1, 9] } },
      /"img_in.lora_A.weight" must fit the model: file has \[1, 9\], model needs \[1, 8\]$/,
    ],
    [
      "another output size",
      { ...IMG_IN, "img_in.lora_B.weight": { shape: [5, 1] } },
      /"img_in.lora_B.weight" must fit the model: file has \[5, 1\], model needs \[4, 1\]$/,
    ],
    [
      "different ranks",
      { ...IMG_IN, "img_in.lora_B.weight": { shape: [4, 2] } },
      /file has \[4, 2\], model needs \[4, 1\]$/,
    ],
    ["rank 0", { ...IMG_IN, "img_in.lora_A.weight": { shape: [0, 8] } }, /file has \[0, 8\], model needs \[1, 8\]$/],
    ["a convolution", { ...IMG_IN, "img_in.lora_A.weight": { shape: [1, 8, 1, 1] } }, /file has \[1, 8, 1, 1\]/],
    [
      "NaN",
      { ...IMG_IN, "img_in.lora_B.weight": { shape: [4, 1], values: [0, 0, NaN, 0] } },
      /^Cannot load "img_in.lora_B.weight" of "[^"]+": weights must be finite: value 2 is NaN$/,
    ],
    ["a list as alpha", { ...IMG_IN, "img_in.alpha": { shape: [2] } }, /"img_in.alpha" must be one finite number$/],
    [
      "no number as alpha",
      { ...IMG_IN, "img_in.alpha": { shape: [], values: [NaN] } },
      /"img_in.alpha" must be one finite number$/,
    ],
    [
      "a part of the wrong size",
      ones("transformer_blocks.0.attn.to_q", { out: 12 }),
      /file has \[12, 1\], model needs \[4, 1\]$/,
    ],
    [
      "two names of a module",
      { ...IMG_IN, ...ones("x_embedder", { out: 4, inner: 8 }) },
      /module "img_in" must have one adapter for each row/,
    ],
    ["a module whole and in parts", {
      ...ones("double_blocks.0.img_attn.qkv", { out: 12 }),
      ...ones("transformer_blocks.0.attn.to_q", { out: 4 }),
    }, /"double_blocks.0.img_attn.qkv" must have one adapter for each row/],
    [
      "two prefixes of a module",
      { ...IMG_IN, ...ones("transformer.img_in", { out: 4, inner: 8 }) },
      /a module must have one adapter: "img_in.lora_A.weight", "transformer.img_in.lora_A.weight" are both of one$/,
    ],
  ])("refuses %s", async (_, tensors, message) => {
    expect(await messageOf(read(tensors))).toMatch(message);
  });
});

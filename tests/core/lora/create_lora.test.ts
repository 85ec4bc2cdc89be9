import { describe, expect, it } from "vitest";
import { InputError } from "../../../packages/core/errors.ts";
import { createLora, loraTargets } from "../../../packages/core/lora/create_lora.ts";
import { FLUX_DEV } from "../../../packages/core/model_folder/configs.ts";
import { randomOf } from "../../../packages/train/random.ts";
import { TINY } from "./_adapters.ts";

describe("loraTargets()", () => {
  it("has attention and MLP of all blocks by default, neither modulation nor the final layer", () => {
    const targets = loraTargets(FLUX_DEV);
    expect(targets.length).toBe(8 * 19 + 2 * 38);
    expect(targets).toContain("double_blocks.18.txt_mlp.2");
    expect(targets.filter((name) => !/^(double|single)_blocks\.\d+\.(.*_(attn|mlp)\.|linear)/.test(name))).toEqual([]);
  });

  it("takes whole names and their ends, each module once, in the order of the model", () => {
    expect(loraTargets(TINY, ["single_blocks.0.linear2", "qkv", "img_attn.qkv"])).toEqual([
      "double_blocks.0.img_attn.qkv",
      "double_blocks.0.txt_attn.qkv",
      "single_blocks.0.linear2",
    ]);
    // An end begins at a dot: "linear" is the final layer only.
    expect(loraTargets(TINY, ["linear"])).toEqual(["final_layer.linear"]);
  });

  it.each([["img_atn.qkv", "img_attn.qkv"], ["double_blocks.1.img_mlp.0", "double_blocks.0.img_mlp.0"]])(
    "tells what is nearest to the unknown %s",
    (unknown, nearest) => {
      const choose = () => loraTargets(TINY, ["linear1", unknown]);
      expect(choose).toThrow(
        new InputError(`Cannot choose LoRA targets: the model must have a linear module "${unknown}": it has none`, {
          hint: `did you mean "${nearest}"?`,
        }),
      );
    },
  );
});

describe("createLora()", () => {
  const create = (seed: number) =>
    createLora(FLUX_DEV, {
      targets: ["double_blocks.0.img_attn.qkv", "double_blocks.0.img_mlp.2"],
      rank: 8,
      random: (module) => randomOf(seed, "lora", module),
    });

  it("makes A normal with deviation 1 / rank, and B zero", () => {
    const adapters = create(1);
    expect([...adapters.keys()]).toEqual(["double_blocks.0.img_attn.qkv", "double_blocks.0.img_mlp.2"]);
    const { a, b, ...rest } = adapters.get("double_blocks.0.img_mlp.2")!;
    expect(rest).toEqual({ rank: 8, in: 12288, out: 3072, scale: 1 });
    expect([a.length, b.length]).toEqual([8 * 12288, 3072 * 8]);
    expect(b.every((value) => value === 0)).toBe(true);
    const mean = a.reduce((sum, value) => sum + value, 0) / a.length;
    const variance = a.reduce((sum, value) => sum + (value - mean) ** 2, 0) / a.length;
    // 98304 numbers: the mean is within 4 / sqrt(n) deviations, the variance within 4 sqrt(2 / n) of itself.
    expect(Math.abs(mean) * 8).toBeLessThan(4 / Math.sqrt(a.length));
    expect(Math.abs(variance * 64 - 1)).toBeLessThan(4 * Math.sqrt(2 / a.length));
  });

  it("depends on the seed and the module alone", () => {
    expect(create(1)).toEqual(create(1));
    const [one, two] = [create(1), create(2)];
    const a = (adapters: typeof one, module: string) => adapters.get(`double_blocks.0.${module}`)!.a.slice(0, 8);
    expect(a(one, "img_attn.qkv")).not.toEqual(a(two, "img_attn.qkv"));
    expect(a(one, "img_attn.qkv")).not.toEqual(a(one, "img_mlp.2"));
  });
});

import { describe, expect, it } from "vitest";
import { moduleShapes } from "../../../packages/core/lora/module_shapes.ts";
import { FLUX_DEV, type MmditConfig } from "../../../packages/core/model_folder/configs.ts";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { golden } from "../weights/_files.ts";
import { goldenConfig } from "../model_folder/_model.ts";

describe("moduleShapes()", () => {
  it("has every linear weight of the golden transformer, and no more", async () => {
    using source = await openWeights(golden("mmdit-guidance/weights.safetensors"));
    const weights = [...source.tensors].filter(([name]) => name.endsWith(".weight"));
    const wanted = weights.map(([name, { shape }]) => [name.slice(0, -".weight".length), shape]);
    const shapes = moduleShapes(goldenConfig("mmdit-guidance") as unknown as MmditConfig);
    expect(Object.fromEntries(shapes)).toEqual(Object.fromEntries(wanted));
  });

  it("has guidance only where the model does", () => {
    expect(moduleShapes(FLUX_DEV).has("guidance_in.in_layer")).toBe(true);
    expect(moduleShapes({ ...FLUX_DEV, guidance_embed: false }).has("guidance_in.in_layer")).toBe(false);
  });
});

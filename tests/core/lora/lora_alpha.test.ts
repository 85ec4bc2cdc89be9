import { describe, expect, it } from "vitest";
import { loraScale } from "../../../packages/core/lora/lora_alpha.ts";
import { messageOf } from "../weights/_files.ts";

/** The scale of an adapter of rank 4 on `module`. */
function scale(metadata: Record<string, string>, module = "img_in", alpha?: number): number {
  return loraScale("x", metadata)(module, 4, alpha);
}

const peft = (config: unknown) => ({ lora_adapter_metadata: JSON.stringify(config) });

describe("loraScale()", () => {
  it("is 1 without alpha, whatever else the metadata says", () => {
    expect(scale({})).toBe(1);
    expect(scale({ format: "pt", rank: "16" })).toBe(1);
    expect(scale(peft({ "text_encoder.lora_alpha": 8 }))).toBe(1);
  });

  it("is alpha over rank, by the metadata's rank if there is one", () => {
    expect(scale({ alpha: "8" })).toBe(2);
    expect(scale({ alpha: "32.0", rank: "32" })).toBe(1);
    expect(scale({ alpha: "0" })).toBe(0);
  });

  it("prefers the module's own alpha, then PEFT's", () => {
    const metadata = { alpha: "8", ...peft({ lora_alpha: 16 }) };
    expect(scale(metadata)).toBe(4);
    expect(scale(metadata, "img_in", 2)).toBe(0.5);
  });

  it("follows PEFT's patterns and rank-stabilised scale", () => {
    const config = { "transformer.lora_alpha": 8, "transformer.alpha_pattern": { "attn.to_q": 2 } };
    expect(scale(peft(config), "transformer_blocks.0.attn.to_q")).toBe(0.5);
    expect(scale(peft(config), "attn.to_q")).toBe(0.5);
    expect(scale(peft(config), "transformer_blocks.0.myattn.to_q")).toBe(2);
    expect(scale(peft({ lora_alpha: 8, use_rslora: true }))).toBe(4);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["text as alpha", { alpha: "high" }, /alpha in its metadata must be a number: it is "high"$/],
    ["empty alpha", { alpha: " " }, /alpha in its metadata must be a number/],
    ["rank 0", { rank: "0" }, /rank in its metadata must be a number above 0: it is "0"$/],
    ["infinite rank", { rank: "Infinity" }, /rank in its metadata must be a number above 0/],
    ["PEFT that is no JSON", { lora_adapter_metadata: "{" }, /lora_adapter_metadata must be JSON$/],
    ["PEFT that is no object", peft(null), /lora_adapter_metadata must be a JSON object$/],
    ["PEFT with text as alpha", peft({ lora_alpha: "8" }), /must have a number as lora_alpha$/],
    [
      "PEFT with text in a pattern",
      peft({ lora_alpha: 8, alpha_pattern: { a: "b" } }),
      /numbers in its alpha_pattern$/,
    ],
    ["PEFT with a regular expression", peft({ lora_alpha: 8, alpha_pattern: { "(a+)+$": 1 } }), /alpha_pattern$/],
  ])("refuses %s", async (_, metadata, message) => {
    expect(await messageOf(() => scale(metadata))).toMatch(message);
  });
});

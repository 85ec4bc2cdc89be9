import { describe, expect, it } from "vitest";
import {
  dequantize,
  isReadableDtype,
  type ReadableDtype,
} from "../../../../packages/core/weights/dtypes/dequantize.ts";
import { expectedValues, quantised } from "../_quantised.ts";

/**
 * Errors in units of a block's largest value: Q8_0 rounds to steps of 1 / 127; Q4_0 has steps -8 .. 7 of 1 / 8, so that
 * one side is clipped by a whole step.
 */
const STEPS = [["q8_0", 0.5 / 127], ["q4_0", 1 / 8]] as const;

describe("dequantize()", () => {
  it.each(["f32", "f16", "bf16", "q8_0", "q4_0", "q4_k", "q5_k"])(
    "gives ggml's values of %s, bit for bit",
    async (name) => {
      const { dtype, bytes, values } = await quantised(name);
      expect(dtype.toLowerCase()).toBe(name);
      expect(dequantize(bytes, { dtype: dtype as ReadableDtype })).toEqual(values);
    },
  );

  it.each(STEPS)("is what was encoded as %s up to the rounding of the format", async (name, step) => {
    const [values, source] = [await expectedValues(name), await expectedValues("source")];
    for (let block = 0; block < values.length; block += 32) {
      const range = Math.max(...source.subarray(block, block + 32).map(Math.abs));
      // The scale is rounded to f16, which may be subnormal.
      const bound = range * step * 1.02 + 127 * 2 ** -25;
      for (let i = block; i < block + 32; i++) expect(Math.abs(values[i]! - source[i]!)).toBeLessThan(bound);
    }
  });

  it("gives all 256 values of f8 e4m3fn, times the scale", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, bits) => bits);
    const expected = await expectedValues("f8_e4m3");
    expect(dequantize(bytes, { dtype: "F8_E4M3" })).toEqual(expected);
    expect(dequantize(bytes, { dtype: "F8_E4M3", scale: 0.5 })).toEqual(expected.map((value) => value / 2));
    expect([expected[1], expected[0x38], expected[0x7e], expected[0xff]]).toEqual([2 ** -9, 1, 448, NaN]);
  });

  it("reads blocks from any byte on", async () => {
    const { bytes, values } = await quantised("q5_k");
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(dequantize(shifted.subarray(1), { dtype: "Q5_K" })).toEqual(values);
    expect(dequantize(new Uint8Array(), { dtype: "Q5_K" })).toHaveLength(0);
  });
});

describe("isReadableDtype()", () => {
  it("is true for plain, fp8 and the supported block types", () => {
    expect(["BF16", "F8_E4M3", "Q8_0", "F8_E5M2", "Q3_K", "I64", "toString"].filter(isReadableDtype))
      .toEqual(["BF16", "F8_E4M3", "Q8_0"]);
  });
});

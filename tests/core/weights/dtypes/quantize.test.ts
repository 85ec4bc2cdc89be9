import { describe, expect, it } from "vitest";
import { dequantize } from "../../../../packages/core/weights/dtypes/dequantize.ts";
import {
  e4m3Scale,
  isQuantised,
  type QuantisedDtype,
  quantize,
} from "../../../../packages/core/weights/dtypes/quantize.ts";
import { expectedValues, quantised } from "../_quantised.ts";

function roundTrip(values: Float32Array, dtype: QuantisedDtype, scale = 1): Float32Array {
  return dequantize(quantize(values, { dtype, scale }), { dtype, scale });
}

/** The error of `values` as `dtype` relative to their size, both as root mean squares. */
function relativeError(values: Float32Array, dtype: QuantisedDtype): number {
  const rounded = roundTrip(values, dtype);
  const squares = (of: (x: number, i: number) => number) => values.reduce((sum, x, i) => sum + of(x, i) ** 2, 0);
  return Math.sqrt(squares((x, i) => rounded[i]! - x) / squares((x) => x));
}

/** All finite values of f8 e4m3fn, by their bits without the sign. */
async function magnitudes(): Promise<Float32Array> {
  return (await expectedValues("f8_e4m3")).subarray(0, 0x7f);
}

const BLOCKS = ["Q8_0", "Q4_0", "Q4_K", "Q5_K"] as const;

describe("quantize()", () => {
  it.each(["q8_0", "q4_0"])("gives the bytes of ggml's own package for %s", async (name) => {
    const { dtype, bytes } = await quantised(name);
    expect(quantize(await expectedValues("source"), { dtype: dtype as QuantisedDtype })).toEqual(bytes);
  });

  it("rounds product and sum to f32 in Q4_0, as ggml does", () => {
    const values = Float32Array.of(0.03515625, 0.006591796875, ...new Float32Array(30));
    // x / d + 8.5 = 6.99999991, but 7 as an f32.
    expect(quantize(values, { dtype: "Q4_0" }).subarray(2, 4)).toEqual(Uint8Array.of(8 << 4 | 0, 8 << 4 | 7));
  });

  // What ggml_quantize_chunk of ggml 0.0.45 makes of the same 1536 values.
  it.each([["Q4_K", 0.06974], ["Q5_K", 0.03586]] as const)(
    "has no larger error than ggml in %s",
    async (dtype, error) => {
      expect(relativeError(await expectedValues("source"), dtype)).toBeLessThan(1.02 * error);
    },
  );

  it.each([["Q4_K", 15], ["Q5_K", 31]] as const)("is right up to a step of each 32 values in %s", (dtype, most) => {
    const values = Float32Array.from({ length: 512 }, (_, i) => Math.sin(i * i) * 2 ** (i >> 6) + (i >> 5 & 1) * 3);
    const rounded = roundTrip(values, dtype);
    for (let i = 0; i < values.length; i += 32) {
      const part = values.subarray(i, i + 32);
      const step = (Math.max(...part) - Math.min(0, ...part)) / most;
      // Scales and minima are rounded to 63rds of the largest of their 256 values.
      const block = values.subarray(i & ~255, (i & ~255) + 256).map(Math.abs);
      const coarse = Math.max(...block) / 63;
      for (let k = i; k < i + 32; k++) expect(Math.abs(rounded[k]! - values[k]!)).toBeLessThan(step + coarse);
    }
  });

  it.each(BLOCKS)("keeps zeros, and what is the same everywhere, in %s", (dtype) => {
    expect(roundTrip(new Float32Array(512), dtype).every((x) => x === 0)).toBe(true); // -0 in Q4_0, as ggml's
    for (const value of [-3, 0.75]) {
      for (const found of roundTrip(new Float32Array(256).fill(value), dtype)) {
        expect(Math.abs(found - value)).toBeLessThan(Math.abs(value) / 250);
      }
    }
  });

  it.each(BLOCKS)("rounds each block on its own in %s", async (dtype) => {
    const values = await expectedValues("source");
    const all = quantize(values, { dtype });
    const second = quantize(values.subarray(256, 512), { dtype });
    expect(all.subarray(second.length, 2 * second.length)).toEqual(second);
    expect(quantize(new Float32Array(), { dtype })).toHaveLength(0);
  });

  it("keeps every f8 e4m3fn", async () => {
    const finite = Float32Array.from([...await magnitudes()].flatMap((x) => [x, -x]));
    expect(roundTrip(finite, "F8_E4M3")).toEqual(finite);
    expect(roundTrip(finite.map((x) => x / 1024), "F8_E4M3", 2 ** -10)).toEqual(finite.map((x) => x / 1024));
  });

  it("rounds to the nearest f8 e4m3fn, and ties to even bits", async () => {
    const levels = await magnitudes();
    for (let bits = 0; bits + 1 < levels.length; bits++) {
      const [low, high] = [levels[bits]!, levels[bits + 1]!];
      const middle = (low + high) / 2, less = low + 0.499 * (high - low), more = low + 0.501 * (high - low);
      const found = quantize(Float32Array.of(less, middle, more, -middle), { dtype: "F8_E4M3" });
      const even = bits + bits % 2;
      expect([...found]).toEqual([bits, even, bits + 1, 0x80 | even]);
    }
  });

  it("makes NaN of what f8 e4m3fn cannot hold", () => {
    for (const value of roundTrip(Float32Array.of(480, -1e30, Infinity, NaN), "F8_E4M3")) expect(value).toBeNaN();
  });
});

describe("e4m3Scale()", () => {
  it("is the least power of two by which the largest value fits", () => {
    expect([448, 449, 224, 224.5, 2 ** -30].map(e4m3Scale)).toEqual([1, 2, 0.5, 1, 2 ** -38]);
    expect(e4m3Scale(0)).toBe(1);
  });
});

describe("isQuantised()", () => {
  it("is true for ggml's types and f8", () => {
    expect(["Q8_0", "F8_E4M3", "BF16", "F32", "toString", undefined].filter(isQuantised)).toEqual(["Q8_0", "F8_E4M3"]);
  });
});

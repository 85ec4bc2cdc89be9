import { describe, expect, it } from "vitest";
import { checkFinite, checkParameters } from "../../../packages/core/weights/check.ts";
import { fromF32, type WeightDtype } from "../../../packages/core/weights/dtypes/dtype.ts";
import { weightSource } from "../../../packages/core/weights/weight_source.ts";
import { inputError, messageOf } from "./_files.ts";
import { memorySource } from "./_memory_source.ts";

describe("checkParameters()", () => {
  const source = memorySource({ a: { shape: [2, 3] }, b: { shape: [4], dtype: "BF16" } });
  const check = (wanted: Record<string, number[]>, from = source) =>
    checkParameters(from, new Map(Object.entries(wanted)));

  it("accepts exactly the tensors that are wanted", () => {
    expect(() => check({ b: [4], a: [2, 3] })).not.toThrow();
  });

  it("names missing tensors", async () => {
    expect(await messageOf(() => check({ a: [2, 3], b: [4], c: [1], d: [1], e: [1], f: [1] }))).toBe(
      `Cannot load "memory": tensors are missing: "c", "d", "e" (4 in all)`,
    );
  });

  it("names unknown tensors, and hints that two models may be mixed", async () => {
    const error = await inputError(() => check({ a: [2, 3] }));
    expect(error.message).toBe(`Cannot load "memory": tensors are not in the model: "b"`);
    expect(error.hint).toContain("another model");
  });

  it.each([[[2, 4]], [[2]], [[2, 3, 1]], [[]]])("says both shapes where %j is wanted", async (shape) => {
    expect(await messageOf(() => check({ a: shape, b: [4] }))).toBe(
      `Cannot load "a" of "memory": file has [2, 3], model needs [${shape.join(", ")}]`,
    );
  });

  it("refuses other dtypes", async () => {
    const tensors = new Map([["a", { dtype: "F8_E5M2" as const, shape: [1] }]]);
    const eight = weightSource({ ...source, tensors });
    expect(await messageOf(() => check({ a: [1] }, eight))).toBe(
      `Cannot load "a" of "memory": weights must be F32, F16, BF16, F8_E4M3, Q8_0, Q4_0, Q4_K or Q5_K: file has F8_E5M2`,
    );
  });
});

describe("checkFinite()", () => {
  const LARGEST: Record<WeightDtype, number> = { F32: 3.4e38, F16: 65504, BF16: 3.38e38 };

  it.each(["F32", "F16", "BF16"] as const)("finds the first NaN or infinity of %s, wherever it is", async (dtype) => {
    for (const length of [1, 2, 3, 8, 17]) {
      const values = Float32Array.from({ length }, (_, i) => (i % 2 ? -1 : 1) * LARGEST[dtype] / (i % 5 + 1));
      checkFinite("w", { dtype, bytes: fromF32(values, dtype) });
      for (let at = 0; at < length; at++) {
        for (const bad of [NaN, Infinity, -Infinity]) {
          const damaged = values.slice();
          damaged[at] = bad;
          damaged[length - 1] = at === length - 1 ? bad : NaN;
          const bytes = fromF32(damaged, dtype);
          expect(await messageOf(() => checkFinite("w", { dtype, bytes }))).toBe(
            `Cannot load "w": weights must be finite: value ${at} is ${bad}`,
          );
        }
      }
    }
  });

  it("takes numbers, parts of buffers, and bytes that are not aligned", async () => {
    const values = Float32Array.of(NaN, 1, 2, NaN);
    checkFinite("w", values.subarray(1, 3));
    checkFinite("w", new Float32Array(0));
    expect((await inputError(() => checkFinite("w", values.subarray(2)))).message).toMatch(/value 1 is NaN$/);
    const shifted = new Uint8Array(7);
    shifted.set(fromF32(Float32Array.of(1, 2, Infinity), "F16"), 1);
    checkFinite("w", { dtype: "F16", bytes: shifted.subarray(1, 5) });
    const error = await inputError(() => checkFinite("w", { dtype: "F16", bytes: shifted.subarray(1) }));
    expect(error.message).toMatch(/value 2 is Infinity$/);
    expect(error.hint).toMatch(/damaged/);
  });

  it("accepts every finite 16-bit pattern, and only those", () => {
    const wrong: string[] = [];
    for (const dtype of ["F16", "BF16"] as const) {
      const exponent = dtype === "F16" ? 0x7c00 : 0x7f80;
      for (let bits = 0; bits < 65536; bits++) {
        const bytes = Uint8Array.of(0, 0, bits & 255, bits >> 8);
        const isFinite = (bits & exponent) !== exponent;
        let accepted = true;
        try {
          checkFinite("w", { dtype, bytes });
        } catch {
          accepted = false;
        }
        if (accepted !== isFinite) wrong.push(`${dtype} ${bits.toString(16)}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("checkFinite() of quantised weights", () => {
  it.each([["Q8_0", 34, 32], ["Q4_0", 18, 32], ["Q4_K", 144, 256], ["Q5_K", 176, 256]] as const)(
    "names the first value of the first %s block whose scale is not finite",
    async (dtype, size, elements) => {
      const bytes = new Uint8Array(3 * size).fill(1);
      checkFinite("w", { dtype, bytes });
      // f16 infinity.
      bytes.set([0x00, 0x7c], 2 * size);
      const message = await messageOf(() => checkFinite("w", { dtype, bytes }));
      expect(message).toMatch(
        new RegExp(`^Cannot load "w": weights must be finite: value ${2 * elements} is -?Infinity$`),
      );
    },
  );

  it("knows the NaN of f8 e4m3fn", async () => {
    const bytes = Uint8Array.of(0x7e, 0xfe, 0xff);
    expect(await messageOf(() => checkFinite("w", { dtype: "F8_E4M3", bytes }))).toMatch(/value 2 is NaN$/);
    checkFinite("w", { dtype: "F8_E4M3", bytes: bytes.subarray(0, 2) });
  });
});

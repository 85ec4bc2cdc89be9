import { describe, expect, it } from "vitest";
import { fromF32, isWeightDtype, toF32 } from "../../../../packages/core/weights/dtypes/dtype.ts";

/** Every 16-bit pattern once. */
const ALL_16_BIT = Uint16Array.from({ length: 65536 }, (_, bits) => bits);

describe("toF32() and fromF32()", () => {
  it.each(["F16", "BF16"] as const)("keep every %s value, subnormals and infinities too, and NaN as NaN", (dtype) => {
    const values = toF32(new Uint8Array(ALL_16_BIT.buffer), dtype);
    const back = new Uint16Array(fromF32(values, dtype).buffer);
    const different = values.findIndex((value, i) => !Number.isNaN(value) && back[i] !== ALL_16_BIT[i]);
    expect(different).toBe(-1);
    const [exponent, fraction] = dtype === "F16" ? [0x7c00, 0x3ff] : [0x7f80, 0x7f];
    for (const [i, bits] of back.entries()) {
      const isNaN = (i & exponent) === exponent && (i & fraction) !== 0;
      expect(Number.isNaN(values[i])).toBe(isNaN);
      if (isNaN) expect((bits & exponent) === exponent && (bits & fraction) !== 0).toBe(true);
    }
  });

  it("give known F16 values", () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0x8000);
    const values = [1, -2, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, Infinity, -0];
    expect([...toF32(new Uint8Array(bits.buffer), "F16")]).toEqual(values);
  });

  it("round F16 to the nearest, ties to even, overflow to infinity", () => {
    const cases: [number, number][] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [65519, 0x7bff],
      [65520, 0x7c00],
      [2 ** -25, 0],
      [1.5 * 2 ** -24, 2],
      [-1e-8, 0x8000],
    ];
    const bits = new Uint16Array(fromF32(Float32Array.from(cases, ([value]) => value), "F16").buffer);
    expect([...bits]).toEqual(cases.map(([, expected]) => expected));
  });

  it("round BF16 to the nearest, ties to even, overflow to infinity", () => {
    const cases: [number, number][] = [
      [1 + 2 ** -8, 0x3f80],
      [1 + 3 * 2 ** -8, 0x3f82],
      [1 + 2 ** -8 + 2 ** -20, 0x3f81],
      [3.4e38, 0x7f80],
      [-3.4e38, 0xff80],
      [2 ** -133, 1],
      [1.5 * 2 ** -133, 2],
    ];
    const bits = new Uint16Array(fromF32(Float32Array.from(cases, ([value]) => value), "BF16").buffer);
    expect([...bits]).toEqual(cases.map(([, expected]) => expected));
  });

  it("keep a BF16 NaN whose payload is in the lower bits a NaN", () => {
    const nan = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001, 0x7fffffff).buffer);
    expect([...toF32(fromF32(nan, "BF16"), "BF16")]).toEqual([NaN, NaN, NaN]);
  });

  it("copy F32 on encode, and read bytes that are not aligned", () => {
    const values = Float32Array.of(1, 2, 3);
    const bytes = fromF32(values, "F32");
    expect(bytes.buffer).not.toBe(values.buffer);
    for (const dtype of ["F32", "F16", "BF16"] as const) {
      const encoded = fromF32(values, dtype);
      const shifted = new Uint8Array(encoded.length + 1);
      shifted.set(encoded, 1);
      expect([...toF32(shifted.subarray(1), dtype)]).toEqual([1, 2, 3]);
      expect(toF32(new Uint8Array(0), dtype)).toHaveLength(0);
    }
  });
});

describe("isWeightDtype()", () => {
  it("is true for the three weight dtypes only", () => {
    expect(["F32", "F16", "BF16", "I64", "F64", "toString"].filter(isWeightDtype)).toEqual(["F32", "F16", "BF16"]);
  });
});

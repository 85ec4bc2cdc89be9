import { groups1d, kernel } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { packParams } from "../../../packages/kernels/gpu/kernel.ts";

const spec = kernel({
  name: "spec",
  sources: [],
  entry: "main",
  binds: {},
  params: { count: "u32", shift: "i32", alpha: "f32" },
});

function pack(values: Partial<Record<"count" | "shift" | "alpha", number>>): DataView {
  const view = new DataView(new ArrayBuffer(32));
  packParams(spec, { count: 1, shift: 1, alpha: 1, ...values }, view, 16);
  return view;
}

describe("packParams()", () => {
  test("writes fields in declared order and type, at the offset", () => {
    const view = pack({ count: 2 ** 32 - 1, shift: -(2 ** 31), alpha: -0.1 });
    expect(view.getUint32(16, true)).toBe(2 ** 32 - 1);
    expect(view.getInt32(20, true)).toBe(-(2 ** 31));
    expect(view.getFloat32(24, true)).toBe(Math.fround(-0.1));
    expect([view.getUint32(12), view.getUint32(28)]).toEqual([0, 0]);
  });

  test.each([
    ["count", -1, "u32"],
    ["count", 0.5, "u32"],
    ["count", 2 ** 32, "u32"],
    ["count", NaN, "u32"],
    ["count", undefined, "u32"],
    ["shift", 2 ** 31, "i32"],
    ["shift", 1.5, "i32"],
    ["alpha", NaN, "f32"],
    ["alpha", undefined, "f32"],
  ])("refuses %s = %d", (field, value, type) => {
    expect(() => pack({ [field]: value })).toThrow(
      new RangeError(`Cannot run "spec": param "${field}" must be a valid ${type}: value is ${value}`),
    );
  });
});

describe("groups1d()", () => {
  test.each([[0, 1, 1], [1, 1, 1], [64, 1, 1], [65, 2, 1], [65535 * 64, 65535, 1]])("%d threads", (threads, x, y) => {
    expect(groups1d(threads, 64)).toEqual([x, y, 1]);
  });

  test("spreads more than 65535 workgroups over two dimensions and wastes less than a row", () => {
    const [x, y, z] = groups1d(65535 * 64 + 1, 64);
    expect([x, y, z]).toEqual([32768, 2, 1]);
    const [columns, rows] = groups1d(99_000_000, 64);
    expect(columns).toBeLessThanOrEqual(65535);
    expect(columns * rows * 64).toBeGreaterThanOrEqual(99_000_000);
    expect(columns * (rows - 1) * 64).toBeLessThan(99_000_000);
  });
});

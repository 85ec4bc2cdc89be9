import { gelu, read, silu, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { expectClose, gpu, randomTensor } from "../../helpers/gpu.ts";
import * as reference from "../../reference/activation.ts";

describe.each([[[1]], [[7]], [[65]], [[2, 3, 31, 5]]])("for shape %j", (shape) => {
  const { data, tensor: unit } = randomTensor(shape);
  const x = tensor(gpu, data.map((value) => 6 * value), shape);

  test("gelu() matches the reference", async () => {
    await expectClose(gelu(x), Array.from(data, (value) => reference.gelu(6 * value)));
  });
  test("silu() matches the reference", async () => {
    await expectClose(silu(x), Array.from(data, (value) => reference.silu(6 * value)));
  });
  test("silu() matches the reference near zero", async () => {
    await expectClose(silu(unit), Array.from(data, reference.silu));
  });
});

test.each([["gelu()", gelu], ["silu()", silu]])("%s is 0 or x, never NaN, for large magnitudes", async (_, op) => {
  const x = [-3e38, -1e20, -1000, -100, -50, 0, 50, 100, 1000, 1e20, 3e38];
  const [y] = await read(op(tensor(gpu, new Float32Array(x), [x.length])));
  x.forEach((value, i) => {
    if (value >= 0) expect(y![i]).toBe(Math.fround(value));
    else expect(Math.abs(y![i]! / value)).toBeLessThan(1e-20);
  });
});

test("gelu() refuses packed weights", () => {
  const packed = tensor(gpu, new Uint8Array(4), [2], "bf16");
  expect(() => gelu(packed)).toThrow('Cannot run "gelu": x must be f32: it is bf16');
});

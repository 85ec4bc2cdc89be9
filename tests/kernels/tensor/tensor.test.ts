import { byteLength, empty, read, reshape, show, sizeOf, tensor } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import { gpu, random } from "../../helpers/gpu.ts";

test.each([[[], 1, "[]"], [[0, 3], 0, "[0, 3]"], [[2, 3, 4], 24, "[2, 3, 4]"]])(
  "sizeOf() and show() of %j",
  (shape, size, text) => {
    expect(sizeOf(shape)).toBe(size);
    expect(show(shape)).toBe(text);
  },
);

describe("tensor()", () => {
  test("uploads f32 values, also of a part of a larger array", async () => {
    const values = random([100]);
    using x = tensor(gpu, values.subarray(7, 13), [2, 3]);
    expect(x).toMatchObject({ shape: [2, 3], dtype: "f32", size: 6 });
    expect(await read(x)).toEqual([values.slice(7, 13)]);
  });

  test.each(["f16", "bf16"] as const)("uploads an odd count of %s, padded to whole u32", async (dtype) => {
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
    using x = tensor(gpu, bytes.subarray(3, 13), [5], dtype);
    expect(byteLength(dtype, 5)).toBe(12);
    const [back = new ArrayBuffer()] = await gpu.read([{ buffer: x.buffer, bytes: 12 }]);
    expect([...new Uint8Array(back)]).toEqual([...bytes.subarray(3, 13), 0, 0]);
  });

  test("uploads an even count of f16 from an offset that is no multiple of 4", async () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
    using x = tensor(gpu, bytes.subarray(2, 10), [4], "f16");
    const [back = new ArrayBuffer()] = await gpu.read([{ buffer: x.buffer, bytes: 8 }]);
    expect([...new Uint8Array(back)]).toEqual([...bytes.subarray(2, 10)]);
  });

  test("has room for a scalar and for nothing", async () => {
    using scalar = tensor(gpu, new Float32Array([7]), []);
    using none = tensor(gpu, new Float32Array(0), [0, 3]);
    expect(await read(scalar, none)).toEqual([new Float32Array([7]), new Float32Array(0)]);
  });

  test("refuses data of another length", () => {
    expect(() => tensor(gpu, new Float32Array(5), [2, 3])).toThrow(
      new RangeError("Cannot make a f32 tensor [2, 3]: it needs 24 bytes: given 20"),
    );
    expect(() => tensor(gpu, new Uint8Array(4), [3], "bf16")).toThrow(
      new RangeError("Cannot make a bf16 tensor [3]: it needs 6 bytes: given 4"),
    );
  });
});

describe("read()", () => {
  test("refuses dtypes that are not f32", async () => {
    using x = empty(gpu, [4], "bf16");
    await expect(read(x)).rejects.toThrow(
      new TypeError("Cannot read a tensor back: it must be f32: dtype is bf16"),
    );
  });
});

describe("dispose()", () => {
  test("gives the memory back, and the tensor cannot be used any more", async () => {
    const before = gpu.memory.live;
    const x = empty(gpu, [1000, 3]);
    expect(gpu.memory.live).toBeGreaterThan(before);
    x.dispose();
    expect(gpu.memory.live).toBe(before);
    const failure = "Cannot use tensor [1000, 3]: it was disposed";
    expect(() => x.buffer).toThrow(failure);
    expect(() => x.dispose()).toThrow(failure);
    expect(() => x.retain()).toThrow(failure);
    expect(() => reshape(x, [3000])).toThrow(failure);
    await expect(read(x)).rejects.toThrow(failure);
  });

  test("leaves the memory to further handles", async () => {
    const before = gpu.memory.live;
    const x = tensor(gpu, new Float32Array([1]), [1]).retain();
    x.dispose();
    expect(await read(x)).toEqual([new Float32Array([1])]);
    x.release();
    expect(gpu.memory.live).toBe(before);
  });

  test("leaves the memory to a reshaped tensor, which shares it", async () => {
    const before = gpu.memory.live;
    const x = tensor(gpu, new Float32Array([1, 2]), [2]);
    const live = gpu.memory.live;
    const y = reshape(x, [1, 2]);
    expect(gpu.memory.live).toBe(live);
    x.dispose();
    expect(await read(y)).toEqual([new Float32Array([1, 2])]);
    y.dispose();
    expect(gpu.memory.live).toBe(before);
  });
});

test("reshape() refuses other numbers of elements, also by what is left", () => {
  using x = empty(gpu, [10]);
  expect(() => reshape(x, [3, 3])).toThrow("Cannot reshape [10] to [3, 3]: the number of elements must stay");
  expect(() => reshape(x, [-1, 4])).toThrow("the number of elements must stay");
});

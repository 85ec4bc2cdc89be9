import { read, tensor } from "@fluxsr/kernels";
import { afterEach, describe, expect, test, vi } from "vitest";
import { InputError } from "../../../packages/core/errors.ts";
import { Conv2d } from "../../../packages/core/nn/conv2d.ts";
import { Linear } from "../../../packages/core/nn/linear.ts";
import { loadModule } from "../../../packages/core/nn/load.ts";
import { permuted } from "../../../packages/core/nn/permuted.ts";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { type StoredTensor, weightSource } from "../../../packages/core/weights/weight_source.ts";
import { gpu, random, scaledError } from "../../helpers/gpu.ts";
import { permute } from "../../reference/layout.ts";
import { quantised } from "../weights/_quantised.ts";
import { memorySource } from "../weights/_memory_source.ts";

afterEach(() => void vi.restoreAllMocks());

/** Blocks of quantised weights that begin with scales of 1. */
function blocks(count: number, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: count * size }, (_, i) => [0, 0x3c, 0, 0x3c][i % size] ?? (i * 13) % 251);
}

describe("permuted()", () => {
  test.each([[[0, 1, 2, 3]], [[2, 3, 1, 0]], [[0, 2, 3, 1]], [[3, 0, 2, 1]]])("moves axes to %j", (axes) => {
    const shape = [2, 3, 5, 1];
    const values = random(shape);
    expect([...permuted(values, shape, axes)]).toEqual(permute(values, { shape, axes }));
  });

  test("takes a single axis and no element", () => {
    expect([...permuted(Float32Array.of(1, 2), [2], [0])]).toEqual([1, 2]);
    expect(permuted(new Float32Array(), [0, 3], [1, 0])).toHaveLength(0);
  });
});

describe("loadModule()", () => {
  test("stores a convolution's weight with its channels last", async () => {
    const layer = new Conv2d(2, 3, { size: 3 });
    const weight = { shape: [3, 2, 3, 3], values: random([3, 2, 3, 3]) };
    await loadModule(gpu, layer, { source: memorySource({ weight, bias: { shape: [3] } }), precision: "native" });
    const [stored] = await read(layer.weight.tensor);
    expect(layer.weight.tensor.shape).toEqual([3, 3, 2, 3]);
    expect([...stored!]).toEqual(permute(weight.values, { shape: weight.shape, axes: [2, 3, 1, 0] }));
    layer.dispose();
  });

  test.each([["F16", "f16"], ["BF16", "bf16"]] as const)("keeps %s weights if asked, as %s", async (dtype, packed) => {
    const values = random([6, 8]).map((value) => Math.round(value * 64) / 64);
    const source = () => memorySource({ weight: { shape: [6, 8], values, dtype }, bias: { shape: [6], dtype } });
    const layers = [new Linear(8, 6), new Linear(8, 6)] as const;
    await loadModule(gpu, layers[0], { source: source(), precision: "native" });
    await loadModule(gpu, layers[1], { source: source(), precision: "f32" });
    expect(layers.map(({ weight }) => weight.tensor.dtype)).toEqual([packed, "f32"]);
    expect((await read(layers[1].weight.tensor))[0]).toEqual(values);
    for (const layer of layers) layer.dispose();
  });

  test.each(["q8_0", "q4_0", "q4_k", "q5_k"] as const)(
    "keeps %s weights if asked, and widens them else",
    async (name) => {
      const { values, ...stored } = await quantised(name);
      const tensors = new Map([["weight", { dtype: stored.dtype, shape: stored.shape }]]);
      const source = weightSource({
        path: "memory",
        metadata: {},
        tensors,
        read: () => Promise.resolve(stored),
        close() {},
      });
      const x = tensor(gpu, random([2, 512]), [2, 512]);
      const layers = [new Linear(512, 3, { bias: false }), new Linear(512, 3, { bias: false })] as const;
      await loadModule(gpu, layers[0], { source, precision: "native" });
      await loadModule(gpu, layers[1], { source, precision: "f32" });
      expect(layers.map(({ weight }) => weight.tensor.dtype)).toEqual([name, "f32"]);
      const [packed, widened, weight] = await read(layers[0].forward(x), layers[1].forward(x), layers[1].weight.tensor);
      expect(weight).toEqual(values);
      expect(scaledError(packed!, widened!)).toBeLessThan(1e-6);
      for (const layer of layers) layer.dispose();
    },
  );

  test("keeps f8 weights with their scale", async () => {
    const layer = new Linear(4, 2, { bias: false });
    const bytes = Uint8Array.of(0x38, 0, 0, 0, 0, 0xb8, 0, 1);
    const source = weightSource({
      path: "memory",
      metadata: {},
      tensors: new Map([["weight", { dtype: "F8_E4M3", shape: [2, 4] }]]),
      read: () => Promise.resolve({ dtype: "F8_E4M3", shape: [2, 4], bytes, scale: 0.5 }),
      close() {},
    });
    await loadModule(gpu, layer, { source, precision: "native" });
    expect(layer.weight.tensor.dtype).toBe("f8_e4m3");
    const [y] = await read(layer.forward(tensor(gpu, Float32Array.of(2, 4, 8, 512), [1, 4])));
    expect([...y!]).toEqual([1, -1.5]);
    layer.dispose();
  });

  test("widens packed rows that are no multiple of 4 long", async () => {
    const layer = new Linear(6, 2, { bias: false });
    const weight = { shape: [2, 6], dtype: "BF16" } as const;
    await loadModule(gpu, layer, { source: memorySource({ weight }), precision: "native" });
    const [values] = await read(layer.weight.tensor);
    expect(scaledError(values!, Array.from({ length: 12 }, (_, i) => i))).toBe(0);
    layer.dispose();
  });

  /** Streams of pieces that end anywhere. */
  const cut = (stored: StoredTensor, size: number) =>
    weightSource({
      path: "memory",
      metadata: {},
      tensors: new Map([["weight", { dtype: stored.dtype, shape: stored.shape }]]),
      read: () => Promise.reject(new Error("the tensor must be streamed")),
      stream: () => {
        const { bytes, ...info } = stored;
        const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => i * size);
        return Promise.resolve({ ...info, chunks: starts.map((at) => bytes.slice(at, at + size)) });
      },
      close() {},
    });

  const f8 = Uint8Array.from({ length: 36 * 512 }, (_, i) => (i * 7) % 0x7f);
  const plain = random([36, 512]);
  test.each<[string, Omit<StoredTensor, "shape">]>([
    ["f32", { dtype: "F32", bytes: fromF32(plain, "F32") }],
    ["bf16", { dtype: "BF16", bytes: fromF32(plain, "BF16") }],
    ["f8_e4m3", { dtype: "F8_E4M3", bytes: f8, scale: 0.25 }],
    ["q8_0", { dtype: "Q8_0", bytes: blocks(36 * 512 / 32, 34) }],
    ["q4_k", { dtype: "Q4_K", bytes: blocks(36 * 512 / 256, 144) }],
  ])("divides %s weights above the adapter's limit by rows, in whatever pieces they come", async (name, info) => {
    const stored = { ...info, shape: [36, 512] };
    const whole = new Linear(512, 36, { bias: false });
    await loadModule(gpu, whole, { source: cut(stored, 1e6), precision: "native" });
    const x = tensor(gpu, random([3, 512]), [3, 512]);
    const [expected] = await read(whole.forward(x));
    for (const size of [7, 1000, 1e6]) {
      vi.spyOn(gpu.buffers, "largest", "get").mockReturnValue(Math.ceil(stored.bytes.length / 2.5));
      const layer = new Linear(512, 36, { bias: false });
      await loadModule(gpu, layer, { source: cut(stored, size), precision: "native" });
      vi.restoreAllMocks();
      expect(layer.weight.parts.map(({ shape, dtype }) => [...shape, dtype])).toEqual([
        ...[[12, 512, name], [12, 512, name], [12, 512, name]],
      ]);
      const [y] = await read(layer.forward(x));
      expect(scaledError(y!, expected!)).toBeLessThan(1e-6);
      layer.dispose();
    }
    whole.dispose();
  });

  test("names where a value is not finite in a later piece", async () => {
    const bytes = fromF32(Float32Array.from({ length: 64 }, (_, i) => i === 41 ? Infinity : i), "F16");
    const layer = new Linear(8, 8, { bias: false });
    const source = cut({ dtype: "F16", shape: [8, 8], bytes }, 20);
    await expect(loadModule(gpu, layer, { source, precision: "native" })).rejects.toThrow("value 41 is Infinity");
  });

  test("refuses values that are not finite, and leaves nothing on the GPU", async () => {
    const before = gpu.memory.live;
    const layer = new Linear(1, 2);
    const source = memorySource({ weight: { shape: [2, 1] }, bias: { shape: [2], values: [0, NaN] } });
    const loading = loadModule(gpu, layer, { source, precision: "f32" });
    await expect(loading).rejects.toThrow(InputError);
    await expect(loading).rejects.toThrow(`Cannot load "bias" of "memory": weights must be finite: value 1 is NaN`);
    expect(gpu.memory.live).toBe(before);
  });

  test("refuses other names and shapes before anything is read", async () => {
    const load = (tensors: Parameters<typeof memorySource>[0]) =>
      loadModule(gpu, new Linear(2, 3, { bias: false }), { source: memorySource(tensors), precision: "f32" });
    await expect(load({})).rejects.toThrow(`tensors are missing: "weight"`);
    await expect(load({ weight: { shape: [2, 3] } })).rejects.toThrow("file has [2, 3], model needs [3, 2]");
    await expect(load({ weight: { shape: [3, 2] }, b: { shape: [] } })).rejects.toThrow(`not in the model: "b"`);
  });
});

import { affine, GpuError, groups1d, kernel, openGpu, read, tensor, UnsupportedFeatureError } from "@fluxsr/kernels";
import { describe, expect, test } from "vitest";
import subgroups from "./subgroups.wgsl" with { type: "text" };

const real = await navigator.gpu.requestAdapter();
if (!real) throw new Error("Cannot test: WebGPU found no adapter");

/** WebGPU as given, its adapter changed in some points. */
function provider(changes: Partial<Record<keyof GPUAdapter, unknown>> | null): GPU {
  const { features, limits, info } = real as GPUAdapter;
  return {
    async requestAdapter() {
      const adapter = await navigator.gpu.requestAdapter();
      const requestDevice = adapter?.requestDevice.bind(adapter);
      return changes && { features, limits, info, requestDevice, ...changes };
    },
  } as unknown as GPU;
}

describe("openGpu()", () => {
  test("opens an injected provider with all that its adapter offers", async () => {
    using gpu = await openGpu({ provider: provider({}) });
    expect(gpu.device.limits.maxBufferSize).toBe(real.limits.maxBufferSize);
    expect(gpu.device.limits.maxStorageBufferBindingSize).toBe(real.limits.maxStorageBufferBindingSize);
    expect(gpu.device.limits.maxComputeWorkgroupStorageSize).toBe(real.limits.maxComputeWorkgroupStorageSize);
    expect(gpu.device.features.has("timestamp-query")).toBe(real.features.has("timestamp-query"));
    using x = tensor(gpu, new Float32Array([1]), [1]);
    expect(await read(affine(x, { offset: 1 }))).toEqual([new Float32Array([2])]);
  });

  test("says that there is no adapter, and what to do", async () => {
    const failure = await openGpu({ provider: provider(null) }).catch((error) => error);
    expect(failure).toBeInstanceOf(UnsupportedFeatureError);
    expect(failure.message).toBe("Cannot open a GPU: WebGPU found no adapter");
    expect(failure.hint).toContain("./setup");
  });

  test("names the features that are missing, and only those", async () => {
    const features = new Set(["shader-f16"]);
    await expect(openGpu({ provider: provider({ features }), features: ["shader-f16", "other"] })).rejects
      .toThrow(new UnsupportedFeatureError("Cannot open a GPU: the adapter does not offer other"));
  });

  test("works on an adapter without optional features", async () => {
    using gpu = await openGpu({ provider: provider({ features: new Set() }) });
    expect(gpu.device.features.has("shader-f16")).toBe(false);
    await expect(gpu.profile(() => {})).rejects.toThrow(UnsupportedFeatureError);
    using x = tensor(gpu, new Float32Array([1]), [1]);
    expect(await read(affine(x, { offset: 1 }))).toEqual([new Float32Array([2])]);
  });

  test("says why the adapter gave no device", async () => {
    const requestDevice = () => Promise.reject(new Error("not enough memory left"));
    await expect(openGpu({ provider: provider({ requestDevice }) })).rejects.toThrow(
      new GpuError("Cannot open a GPU: not enough memory left"),
    );
  });

  test.each([
    [{ device: "0", description: "llvmpipe (LLVM 15)", architecture: "" }, "llvmpipe (LLVM 15)", true],
    [{ device: "0xc0de", description: "SwiftShader Device", architecture: "" }, "SwiftShader Device", true],
    [{ device: "", description: "", architecture: "turing" }, "turing", false],
    [{ device: "", description: "", architecture: "" }, "unknown", false],
  ])("describes the adapter %o", async (info, description, software) => {
    using gpu = await openGpu({ provider: provider({ info: { vendor: "v", ...info } }) });
    expect(gpu.adapter).toMatchObject({ vendor: "v", description, software });
  });
});

test("subgroups work when asked for", async ({ skip }) => {
  const opened = await openGpu({ features: ["subgroups"] }).catch((error) => {
    if (error instanceof UnsupportedFeatureError) skip("the adapter does not offer subgroups");
    throw error;
  });
  using gpu = opened;
  using x = tensor(gpu, new Float32Array(64).fill(1), [64]);
  using y = tensor(gpu, new Float32Array(64), [64]);
  gpu.run(kernel({ name: "subgroups", sources: [subgroups], entry: "forward", binds: { x: "read", y: "write" } }), {
    buffers: [x.buffer, y.buffer],
    params: {},
    groups: groups1d(64, 64),
  });
  const [sizes = []] = await read(y);
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(real.info.subgroupMinSize);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(real.info.subgroupMaxSize);
});

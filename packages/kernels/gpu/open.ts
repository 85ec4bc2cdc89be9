import { GpuError, UnsupportedFeatureError } from "./errors.ts";
import type { AdapterSummary } from "./adapter.ts";
import { Gpu } from "./gpu.ts";

/** Features that are taken when the adapter has them. */
const OPTIONAL: readonly string[] = ["shader-f16", "timestamp-query"];

/** Limits that are raised to what the adapter offers; WebGPU grants only its defaults unless asked. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxStorageBuffersPerShaderStage",
] as const;

/**
 * Opens the adapter with all that it offers.
 *
 * @param options `provider` is any WebGPU implementation (default `navigator.gpu`); `features` are further features
 * that must be present, e.g. `subgroups`.
 * @throws {UnsupportedFeatureError} if there is no adapter or it lacks one of `features`.
 */
export async function openGpu(options: { provider?: GPU; features?: readonly string[] } = {}): Promise<Gpu> {
  const provider = options.provider ?? globalThis.navigator?.gpu;
  const adapter = await provider?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new UnsupportedFeatureError(
      "Cannot open a GPU: WebGPU found no adapter",
      "install a Vulkan driver (./setup installs a software one where there is none)",
    );
  }
  const features = [
    ...OPTIONAL.filter((feature) => adapter.features.has(feature as GPUFeatureName)),
    ...options.features ?? [],
  ];
  const request = (wanted: readonly string[]) =>
    adapter.requestDevice({
      label: "fluxsr",
      requiredFeatures: wanted as GPUFeatureName[],
      requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
    });
  // Deno grants some features that it does not list, subgroups among them: only the refusal tells.
  const withSubgroups = await request([...features, "subgroups"]).catch(() => undefined);
  if (withSubgroups) return new Gpu(withSubgroups, summarize(adapter, { subgroups: true }));
  const device = await request(features).catch((error: Error) => {
    const missing = options.features?.filter((feature) => !adapter.features.has(feature as GPUFeatureName)) ?? [];
    if (missing.length === 0) throw new GpuError(`Cannot open a GPU: ${error.message}`);
    throw new UnsupportedFeatureError(`Cannot open a GPU: the adapter does not offer ${missing.join(", ")}`);
  });
  return new Gpu(device, summarize(adapter, { subgroups: false }));
}

function summarize(adapter: GPUAdapter, { subgroups }: { subgroups: boolean }): AdapterSummary {
  const { vendor, architecture, device, description, subgroupMinSize: min, subgroupMaxSize: max } = adapter.info;
  const name = [description, device, architecture].find((text) => text !== "") ?? "unknown";
  return {
    description: name,
    vendor,
    software: /llvmpipe|lavapipe|swiftshader|warp/i.test(`${device} ${description}`),
    features: [...adapter.features].sort(),
    subgroups: subgroups ? { min, max } : undefined,
  };
}

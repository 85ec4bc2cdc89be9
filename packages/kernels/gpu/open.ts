import { GpuError, UnsupportedFeatureError } from "./errors.ts";
import type { AdapterSummary, MatrixConfig } from "./adapter.ts";
import { openDawn } from "./dawn.ts";
import { deviceFeature, enablesOf, kernelFeatures } from "./features.ts";
import { Gpu } from "./gpu.ts";

/** Features that are taken when the adapter has them. */
const OPTIONAL: readonly string[] = ["shader-f16", "timestamp-query", deviceFeature("subgroup-matrix")];

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

/** The WebGPU implementations: that of Deno itself, and Dawn (see {@linkcode openDawn}). */
export const PROVIDERS = ["deno", "dawn"] as const;
export type Provider = (typeof PROVIDERS)[number];

/**
 * Opens the adapter with all that it offers.
 *
 * @param options `provider` is a WebGPU implementation, one of {@linkcode PROVIDERS} or any other (default `deno`);
 * `features` are further features that must be present, e.g. `subgroups`.
 * @throws {UnsupportedFeatureError} if the implementation cannot be loaded, there is no adapter or it lacks one of
 * `features`.
 */
export async function openGpu(
  { provider = "deno", ...options }: { provider?: Provider | GPU | undefined; features?: readonly string[] } = {},
): Promise<Gpu> {
  const gpu = provider === "dawn" ? await openDawn() : provider === "deno" ? globalThis.navigator?.gpu : provider;
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
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
  const withSubgroups = await request([...features, deviceFeature("subgroups")]).catch(() => undefined);
  const device = withSubgroups ?? await request(features).catch((error: Error) => {
    const missing = options.features?.filter((feature) => !adapter.features.has(feature as GPUFeatureName)) ?? [];
    if (missing.length === 0) throw new GpuError(`Cannot open a GPU: ${error.message}`);
    throw new UnsupportedFeatureError(`Cannot open a GPU: the adapter does not offer ${missing.join(", ")}`);
  });
  return new Gpu(device, await summarize(adapter, device));
}

async function summarize({ info }: GPUAdapter, device: GPUDevice): Promise<AdapterSummary> {
  const features = kernelFeatures(device);
  const { subgroupMinSize: min, subgroupMaxSize: max } = info;
  return {
    description: [info.description, info.device, info.architecture].find((text) => text !== "") ?? "unknown",
    vendor: info.vendor,
    software: /llvmpipe|lavapipe|swiftshader|warp/i.test(`${info.device} ${info.description}`),
    features: [...device.features].sort(),
    enables: await enablesOf(device, features),
    subgroups: features.includes("subgroups") ? { min, max } : undefined,
    matrices: features.includes("subgroup-matrix") ? matricesOf(info) : [],
  };
}

/** What Dawn tells of the matrix units, beyond the standard's fields. */
function matricesOf(info: GPUAdapterInfo): MatrixConfig[] {
  const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  return [...subgroupMatrixConfigs].map(({ M, N, K, componentType, resultComponentType }) => ({
    m: M,
    n: N,
    k: K,
    operands: componentType,
    result: resultComponentType,
  }));
}

interface SubgroupMatrixConfig {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly componentType: string;
  readonly resultComponentType: string;
}

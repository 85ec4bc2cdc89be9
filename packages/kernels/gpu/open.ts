import { GpuError, UnsupportedFeatureError } from "./errors.ts";
import type { AdapterSummary, MatrixConfig } from "./adapter.ts";
import { openDawn } from "./dawn.ts";
import { deviceFeature, enablesOf, kernelFeatures } from "./features.ts";
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

/** The WebGPU implementations: that of Deno itself, and Dawn (see {@linkcode openDawn}). */
export const PROVIDERS = ["deno", "dawn"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** How {@linkcode openGpu} opens a GPU. */
export interface OpenOptions {
  /** A WebGPU implementation, one of {@linkcode PROVIDERS} or any other; default `deno`. */
  readonly provider?: Provider | GPU | undefined;
  /**
   * Whether large products may be left to matrix units (tensor cores), where there are some: they round operands to f16,
   * so that a result is off by about 3e-4 of the largest. Not for training, since f16 ends where gradients begin: at 6e-8.
   */
  readonly matrices?: boolean;
  /** Further features that must be present, e.g. `subgroups`. */
  readonly features?: readonly string[];
}

/**
 * Opens the adapter with all that it offers.
 *
 * @throws {UnsupportedFeatureError} if the implementation cannot be loaded, there is no adapter or it lacks one of
 * `features`.
 */
export async function openGpu(
  { provider = "deno", matrices = false, features: demanded = [] }: OpenOptions = {},
): Promise<Gpu> {
  const gpu = provider === "dawn"
    ? await openDawn({ matrices })
    : provider === "deno"
    ? globalThis.navigator?.gpu
    : provider;
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new UnsupportedFeatureError(
      "Cannot open a GPU: WebGPU found no adapter",
      provider === "dawn"
        ? "Dawn asks for newer drivers than Deno; ./setup brought one without a GPU: " +
          "VK_DRIVER_FILES=.swiftshader/vk_swiftshader_icd.json"
        : "install a Vulkan driver (./setup installs a software one where there is none)",
    );
  }
  const welcome = matrices ? [...OPTIONAL, deviceFeature("subgroup-matrix")] : OPTIONAL;
  const features = [...welcome.filter((feature) => adapter.features.has(feature as GPUFeatureName)), ...demanded];
  const request = (wanted: readonly string[]) =>
    adapter.requestDevice({
      label: "fluxsr",
      requiredFeatures: wanted as GPUFeatureName[],
      requiredLimits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
    });
  // Deno grants some features that it does not list, subgroups among them: only the refusal tells.
  const withSubgroups = await request([...features, deviceFeature("subgroups")]).catch(() => undefined);
  const device = withSubgroups ?? await request(features).catch((error: Error) => {
    const missing = demanded.filter((feature) => !adapter.features.has(feature as GPUFeatureName));
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
    workgroupMemory: device.limits.maxComputeWorkgroupStorageSize,
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

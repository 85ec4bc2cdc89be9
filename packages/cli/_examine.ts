import { defaultOverlap, type loadModel, type Model, type planUpscale } from "@fluxsr/core";
import { type AdapterSummary, type Gpu, matmul, read, sizeOf, tensor } from "@fluxsr/kernels";
import sharp from "sharp";
import { explain } from "./_errors.ts";

/** Something that keeps upscaling from working, and what can be done about it. */
export interface Problem {
  readonly message: string;
  readonly hint?: string;
  readonly advice: readonly string[];
}

/** What a machine offers; what could not be found out is null. */
export interface Examination {
  /** Whether upscaling works. */
  readonly ok: boolean;
  readonly adapter: { readonly description: string; readonly vendor: string; readonly software: boolean } | null;
  /** What the driver offers of what can make a difference. */
  readonly features: Readonly<Record<string, boolean>> | null;
  /** The fewest and most lanes of a subgroup, where there are subgroups. */
  readonly subgroups: NonNullable<AdapterSummary["subgroups"]> | null;
  readonly matrices: AdapterSummary["matrices"] | null;
  readonly limits: Readonly<Record<(typeof LIMITS)[number], number>> | null;
  readonly versions: Readonly<Record<string, string>>;
  readonly model: {
    readonly name: string;
    readonly path: string;
    readonly parameters: { readonly transformer: number; readonly autoencoder: number };
    readonly gpuBytes: number;
  } | null;
  /** The default tile in pixels of the result, and the GPU memory for one, weights included. */
  readonly tile: { readonly side: number; readonly overlap: number; readonly gpuBytes: number } | null;
  /** A matrix product on the GPU against the CPU. */
  readonly selfTest: { readonly ok: boolean; readonly worstError: number; readonly milliseconds: number } | null;
  readonly problems: readonly Problem[];
}

const FEATURES = ["shader-f16", "timestamp-query", "subgroups"];

const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
] as const;

/** Finds out what the machine offers, by opening the GPU, computing on it and loading the model in folder `model`. */
export async function examine(
  deps: {
    openGpu: () => Promise<Gpu>;
    loadModel: typeof loadModel;
    planUpscale: typeof planUpscale;
    model: string;
  },
): Promise<Examination> {
  const problems: Problem[] = [];
  /** The result of a step, or null and a problem. */
  const attempt = async <T>(step: () => Promise<T>, advice: readonly string[] = []): Promise<T | null> => {
    try {
      return await step();
    } catch (error) {
      const { message, hint } = explain(error);
      problems.push({ message, ...(hint === undefined ? {} : { hint }), advice });
      return null;
    }
  };
  using gpu = await attempt(() => deps.openGpu(), adviceWithoutAdapter());
  const selfTest = gpu && await attempt(() => testMatmul(gpu));
  using model = gpu && await attempt(() => deps.loadModel(gpu, deps.model, { fold: true }));
  const plan = gpu && model && await attempt(() => deps.planUpscale(gpu, { model: deps.model, scale: 4 }));
  if (selfTest && !selfTest.ok) {
    problems.push({
      message:
        `Cannot rely on the GPU: a matrix product must be within ${TOLERANCE}: it is off by ${selfTest.worstError}`,
      advice: ["Update the GPU driver.", ...softwareAdvice()],
    });
  }
  return {
    ok: problems.length === 0,
    adapter: gpu &&
      { description: gpu.adapter.description, vendor: gpu.adapter.vendor, software: gpu.adapter.software },
    features: gpu && featuresOf(gpu),
    subgroups: gpu && (gpu.adapter.subgroups ?? null),
    matrices: gpu && gpu.adapter.matrices,
    limits: gpu && limitsOf(gpu),
    versions: { deno: Deno.version.deno, sharp: sharp.versions.sharp ?? "unknown", libvips: sharp.versions.vips },
    model: model && {
      name: model.name,
      path: model.path,
      parameters: { transformer: parameters(model.mmdit), autoencoder: parameters(model.autoencoder) },
      gpuBytes: model.gpu.memory.live,
    },
    tile: plan && { side: plan.tileSide, overlap: defaultOverlap(plan.tileSide), gpuBytes: plan.peakBytes },
    selfTest,
    problems,
  };
}

function featuresOf({ adapter }: Gpu): Record<string, boolean> {
  return Object.fromEntries(FEATURES.map((name) => [name, adapter.features.includes(name)]));
}

function limitsOf({ device: { limits } }: Gpu): Record<(typeof LIMITS)[number], number> {
  const entries = LIMITS.map((name) => [name, limits[name]]);
  return Object.fromEntries(entries);
}

function parameters(network: Model["mmdit"] | Model["autoencoder"]): number {
  return [...network.parameters()].reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
}

/** 47 products of up to 1 in f32: at most 47 * 2^-24 times a sum of up to 47; a wrong kernel is off by about 1. */
const TOLERANCE = 2e-4;

/** [M, K] x [K, N] of odd sizes. */
async function testMatmul(gpu: Gpu): Promise<{ ok: boolean; worstError: number; milliseconds: number }> {
  const [M, K, N] = [33, 47, 29];
  const a = Float32Array.from({ length: M * K }, (_, i) => Math.sin(i * 12.9898));
  const b = Float32Array.from({ length: K * N }, (_, i) => Math.sin(i * 78.233));
  const start = performance.now();
  using x = tensor(gpu, a, [M, K]);
  using y = tensor(gpu, b, [K, N]);
  using product = matmul(x, y);
  const [result = new Float32Array()] = await read(product);
  const milliseconds = performance.now() - start;
  let worstError = 0;
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a[m * K + k]! * b[k * N + n]!;
      worstError = Math.max(worstError, Math.abs(sum - (result[m * N + n] ?? NaN)));
    }
  }
  return { ok: worstError <= TOLERANCE, worstError, milliseconds };
}

/** What usually is the matter where WebGPU finds no adapter. */
function adviceWithoutAdapter(): string[] {
  const overrides = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "DENO_WEBGPU_BACKEND"].filter((name) => Deno.env.has(name));
  const advice = overrides.map((name) => `${name} is set to "${Deno.env.get(name)}": unset it, or correct it.`);
  switch (Deno.build.os) {
    case "linux":
      return [
        ...advice,
        "With a GPU: install its Vulkan driver (NVIDIA: the proprietary driver; AMD, Intel: mesa-vulkan-drivers) and the " +
        'loader libvulkan1; "vulkaninfo --summary" should list the GPU.',
        "In a container: pass the GPU in, with graphics (NVIDIA: --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all).",
        ...softwareAdvice(),
      ];
    case "darwin":
      return [...advice, "macOS needs Metal: run it outside of a virtual machine."];
    default:
      return [...advice, "Update the GPU driver."];
  }
}

function softwareAdvice(): string[] {
  return Deno.build.os === "linux"
    ? ["Without a GPU: ./setup installs a software driver; it is correct, but slow."]
    : [];
}

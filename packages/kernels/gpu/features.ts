/** What a kernel may need beyond core WebGPU: half precision, subgroup built-ins, matrices of a subgroup. */
export type KernelFeature = "shader-f16" | "subgroups" | "subgroup-matrix";

/** Each feature's name at the device, and in the `enable` line of WGSL. */
const NAMES: Readonly<Record<KernelFeature, { readonly device: string; readonly wgsl: string }>> = {
  "shader-f16": { device: "shader-f16", wgsl: "f16" },
  "subgroups": { device: "subgroups", wgsl: "subgroups" },
  "subgroup-matrix": {
    device: "chromium-experimental-subgroup-matrix",
    wgsl: "chromium_experimental_subgroup_matrix",
  },
};

const ALL = Object.keys(NAMES) as KernelFeature[];

/** The name by which a device is asked for `feature`. */
export function deviceFeature(feature: KernelFeature): GPUFeatureName {
  return NAMES[feature].device as GPUFeatureName;
}

/** The features that kernels may use on `device`. */
export function kernelFeatures(device: GPUDevice): KernelFeature[] {
  return ALL.filter((feature) => device.features.has(deviceFeature(feature)));
}

/**
 * Those of `features` whose `enable` line the compiler of `device` takes. Dawn's demands the line; that of Deno 2.9 knows
 * the built-ins of subgroups without it and refuses it as an unknown extension: so each line is tried.
 */
export async function enablesOf(device: GPUDevice, features: readonly KernelFeature[]): Promise<KernelFeature[]> {
  const errors = await Promise.all(features.map((feature) => {
    device.pushErrorScope("validation");
    device.createShaderModule({ label: feature, code: enableLine([feature]) });
    return device.popErrorScope();
  }));
  return features.filter((_, i) => errors[i] === null);
}

/** The `enable` directives of `features` on one line, empty for none; WGSL wants them before everything else. */
export function enableLine(features: readonly KernelFeature[]): string {
  return features.map((feature) => `enable ${NAMES[feature].wgsl};`).join(" ");
}

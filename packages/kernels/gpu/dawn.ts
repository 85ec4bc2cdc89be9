import { UnsupportedFeatureError } from "./errors.ts";

/**
 * Dawn hides what is still experimental, the matrices of a subgroup among it, and half precision on NVIDIA, whose driver
 * fails some of Dawn's own tests of it; what kernels here do with f16 is tested on it.
 */
const FEATURES: readonly string[] = ["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia"];

/**
 * For matrix units: no checks of indices and no zeros in workgroup memory before a kernel runs. Kernels here write within
 * their buffers alone, read at most three numbers beyond one, which they drop, and write what they read; on an H100 a
 * product by matrix units was a third faster for it (with Dawn's validation off as well).
 */
const TRUST: readonly string[] = ["disable_robustness", "disable_workgroup_init"];

/** Held for ever: a device of the addon crashes the process once the garbage collector took what it came from. */
const instances: GPU[] = [];

/**
 * Chrome's WebGPU, as Node addon: where the driver has matrix units (tensor cores), kernels can use them through it, which
 * Deno's own WebGPU does not let them.
 *
 * @param options.matrices matrix units will be used
 * @param options.flags further creation options, `backend=null` say: a backend that compiles and runs nothing
 * @throws {UnsupportedFeatureError} if the addon cannot be loaded: there is none for this system, or no leave for it.
 */
export async function openDawn(
  { matrices = false, flags = [] }: { matrices?: boolean; flags?: readonly string[] } = {},
): Promise<GPU> {
  try {
    const { create } = await import("webgpu");
    const features = matrices ? [...FEATURES, ...TRUST] : FEATURES;
    const instance = create([`enable-dawn-features=${features.join(",")}`, ...flags]);
    instances.push(instance);
    return instance;
  } catch (error) {
    throw new UnsupportedFeatureError(
      `Cannot open Dawn: its addon must load: ${(error as Error).message.split("\n")[0]}`,
      "use Deno's own WebGPU: --gpu deno",
    );
  }
}

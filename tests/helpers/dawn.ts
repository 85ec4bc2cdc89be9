import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Gpu, type Kernel, openDawn, openGpu, type OpenOptions, UnsupportedFeatureError } from "@fluxsr/kernels";
import { PipelineCache } from "../../packages/kernels/gpu/pipeline_cache.ts";

const SWIFTSHADER = fileURLToPath(new URL("../../.swiftshader/vk_swiftshader_icd.json", import.meta.url));

/** The environment in which Dawn finds a driver: SwiftShader where ./setup brought it, unless a driver is chosen. */
export const DRIVER: Readonly<Record<string, string>> =
  existsSync(SWIFTSHADER) && !Deno.env.get("VK_DRIVER_FILES") && !Deno.env.get("VK_ICD_FILENAMES")
    ? { VK_DRIVER_FILES: SWIFTSHADER }
    : {};

/** Why tests of Dawn, and those of matrix units, are skipped. */
export const NO_DAWN = "Dawn finds no adapter: ./setup brings SwiftShader where it can";
export const NO_MATRICES = "no adapter has matrix units: a GPU has, or Mesa 26's llvmpipe";

/** Dawn's GPU, or undefined where Dawn finds none: Debian's Mesa lacks what it needs, hence SwiftShader. */
export async function openDawnGpu(options: Omit<OpenOptions, "provider"> = {}): Promise<Gpu | undefined> {
  for (const [name, value] of Object.entries(DRIVER)) Deno.env.set(name, value);
  try {
    return await openGpu({ provider: "dawn", ...options });
  } catch (error) {
    if (error instanceof UnsupportedFeatureError) return undefined;
    throw error;
  } finally {
    for (const name of Object.keys(DRIVER)) Deno.env.delete(name);
  }
}

/** What hardware with matrix units has at least, and many others: bytes. The null backend itself has half of it. */
const WORKGROUP_MEMORY = 32768;

/** What Dawn's compiler has against `kernel`, on its null backend, which has all features and runs nothing. */
export async function refusalByDawn(kernel: Kernel): Promise<string | undefined> {
  using gpu = await openGpu({ provider: await openDawn({ flags: ["backend=null"] }), matrices: true });
  const checks: Promise<Error | null>[] = [];
  const cache = new PipelineCache(gpu.device, { enables: gpu.adapter.enables, watch: (check) => checks.push(check) });
  cache.get(kernel);
  const message = (await Promise.all(checks)).find((error) => error !== null)?.message;
  const [, bytes] = message?.match(/total use of workgroup storage \((\d+) bytes\)/) ?? [];
  return Number(bytes) <= WORKGROUP_MEMORY ? undefined : message;
}

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Gpu, openGpu, type OpenOptions, UnsupportedFeatureError } from "@fluxsr/kernels";

const SWIFTSHADER = fileURLToPath(new URL("../../.swiftshader/vk_swiftshader_icd.json", import.meta.url));

/** The environment in which Dawn finds a driver: SwiftShader where ./setup brought it, unless a driver is chosen. */
export const DRIVER: Readonly<Record<string, string>> =
  existsSync(SWIFTSHADER) && !Deno.env.get("VK_DRIVER_FILES") && !Deno.env.get("VK_ICD_FILENAMES")
    ? { VK_DRIVER_FILES: SWIFTSHADER }
    : {};

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

import type { Gpu } from "@fluxsr/kernels";
import { loadModule } from "../nn/load.ts";
import { Lpips } from "./lpips.ts";
import { openLpipsWeights } from "./lpips_weights.ts";
import { PSEUDO_RANDOM, pseudoRandomVgg16 } from "./pseudo_random_vgg16.ts";
import { VGG16_WIDTHS } from "./vgg16.ts";

/**
 * LPIPS with the weights in `files`, or pseudo-random ones if there are none; `source` of the result says which.
 *
 * @param options.files safetensors, ONNX, .pth or .pt: VGG16 and the heads, in one file or in two
 * @param options.widths channels of the five blocks, by default those of VGG16
 * @throws {InputError} if the files do not hold the weights of LPIPS
 */
export async function loadLpips(
  gpu: Gpu,
  { files = [], widths = VGG16_WIDTHS }: { files?: readonly string[]; widths?: readonly number[] } = {},
): Promise<Lpips> {
  const lpips = new Lpips({ source: files.length > 0 ? files.join(", ") : PSEUDO_RANDOM, widths });
  const shapes = new Map([...lpips.parameters()].map(([name, { shape }]) => [name, shape]));
  using weights = files.length > 0 ? await openLpipsWeights(files, shapes) : pseudoRandomVgg16(shapes);
  await loadModule(gpu, lpips, { source: weights, precision: "f32" });
  return lpips;
}

import type { Gpu } from "@fluxsr/kernels";
import { loadModule } from "../nn/load.ts";
import { Dists } from "./dists.ts";
import { openLpipsWeights } from "./lpips_weights.ts";
import { PSEUDO_RANDOM, pseudoRandomVgg16 } from "./pseudo_random_vgg16.ts";
import { VGG16_WIDTHS } from "./vgg16.ts";

/**
 * DISTS with the weights of VGG16 in `files`, or pseudo-random ones if there are none; `source` of the result says which.
 * Where no file has `alpha` and `beta`, all channels weigh the same.
 *
 * @param options.files safetensors, ONNX, .pth or .pt: VGG16, alpha and beta, in one file or in several
 * @param options.widths channels of the five blocks, by default those of VGG16
 * @throws {InputError} if the files do not hold the weights of VGG16
 */
export async function loadDists(
  gpu: Gpu,
  { files = [], widths = VGG16_WIDTHS }: { files?: readonly string[]; widths?: readonly number[] } = {},
): Promise<Dists> {
  const dists = new Dists({ source: files.length > 0 ? files.join(", ") : PSEUDO_RANDOM, widths });
  const shapes = new Map([...dists.parameters()].map(([name, { shape }]) => [name, shape]));
  const even = pseudoRandomVgg16(new Map([...shapes].filter(([name]) => !name.startsWith("net."))));
  using weights = files.length > 0
    ? await openLpipsWeights(files, shapes, { fallback: even })
    : pseudoRandomVgg16(shapes);
  await loadModule(gpu, dists, { source: weights, precision: "f32" });
  return dists;
}

import type { Autoencoder, AutoencoderConfig } from "@fluxsr/core";
import { read, scoped, type Tensor } from "@fluxsr/kernels";
import { type CropSource, randomCrops } from "../data/crops.ts";

/** Crops that are measured. */
const CROPS = 64;

/**
 * The factors that give the latents of the training pictures mean 0 and standard deviation 1:
 * `z = scale_factor (mean - shift_factor)`, measured over all elements of the posterior means of 64 crops.
 *
 * Latent diffusion sets the scale of its latents in this way (Rombach et al. 2022, https://arxiv.org/abs/2112.10752,
 * appendix G).
 *
 * @param options `config` has the factors that `autoencoder` runs with
 */
export async function latentFactors(
  autoencoder: Autoencoder,
  { config, source }: { config: AutoencoderConfig; source: CropSource },
): Promise<Pick<AutoencoderConfig, "scale_factor" | "shift_factor">> {
  const latents: Tensor[] = [];
  for (let draw = 0; draw < CROPS; draw++) {
    const { x } = await randomCrops(source, [draw]);
    latents.push(scoped(source.gpu, () => autoencoder.encode([x])[0]!));
    x.dispose();
  }
  const values = await read(...latents);
  for (const each of latents) each.dispose();
  const average = (of: (value: number) => number) => {
    const sums = values.map((each) => each.reduce((sum, value) => sum + of(value), 0) / each.length);
    return sums.reduce((sum, each) => sum + each, 0) / sums.length;
  };
  const mean = average((z) => z);
  const deviation = Math.sqrt(average((z) => (z - mean) ** 2));
  return {
    scale_factor: config.scale_factor / deviation,
    shift_factor: config.shift_factor + mean / config.scale_factor,
  };
}

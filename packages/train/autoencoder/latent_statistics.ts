import type { Autoencoder, AutoencoderConfig } from "@fluxsr/core";
import { read, scoped, type Tensor } from "@fluxsr/kernels";
import { type CropSource, randomCrop } from "../data/crops.ts";

/** Crops that are measured. */
const CROPS = 64;

/**
 * The factors that give the latents of the pictures mean 0 and standard deviation 1, as FLUX's are meant to have:
 * `z = scale_factor (mean - shift_factor)`; measured over all elements of the posterior means of 64 random crops.
 *
 * @param options `config` has the factors that `autoencoder` runs with
 */
export async function latentFactors(
  autoencoder: Autoencoder,
  { config, source }: { config: AutoencoderConfig; source: CropSource },
): Promise<Pick<AutoencoderConfig, "scale_factor" | "shift_factor">> {
  const latents: Tensor[] = [];
  for (let draw = 0; draw < CROPS; draw++) {
    const { x } = await randomCrop(source, { draw, purpose: "latents" });
    latents.push(scoped(source.gpu, () => autoencoder.encode([x])[0]!));
    x.dispose();
  }
  const values = await read(...latents);
  for (const each of latents) each.dispose();
  const count = values.reduce((sum, { length }) => sum + length, 0);
  const total = (of: (value: number) => number) =>
    values.reduce((sum, each) => sum + each.reduce((part, value) => part + of(value), 0), 0);
  const mean = total((z) => z) / count;
  const deviation = Math.sqrt(total((z) => (z - mean) ** 2) / count);
  return {
    scale_factor: config.scale_factor / deviation,
    shift_factor: config.shift_factor + mean / config.scale_factor,
  };
}

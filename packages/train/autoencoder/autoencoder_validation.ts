import type { Autoencoder, Rgb8 } from "@fluxsr/core";
import { type Gpu, scoped } from "@fluxsr/kernels";
import { toPicture, toTensor } from "../data/pixels.ts";
import type { Validation } from "../stage.ts";
import { type Distance, meanFigures } from "../validation/figures.ts";
import type { HeldPicture } from "../validation/held_pictures.ts";
import { contactSheet } from "../validation/sheet.ts";

/** What comes out of the autoencoder for a picture: the mean of the posterior, decoded. */
export async function reconstruct(gpu: Gpu, autoencoder: Autoencoder, picture: Rgb8): Promise<Rgb8> {
  using x = toTensor(gpu, picture);
  using x_hat = scoped(gpu, () => autoencoder.decode(autoencoder.encode([x]))[0]!);
  return await toPicture(x_hat);
}

/** Judges reconstructions of `held` pictures. */
export async function validateAutoencoder(
  gpu: Gpu,
  autoencoder: Autoencoder,
  { held, lpips }: { held: readonly HeldPicture[]; lpips?: Distance | undefined },
): Promise<Validation> {
  const judged: { image: Rgb8; reference: Rgb8 }[] = [];
  for (const { picture } of held) {
    judged.push({ image: await reconstruct(gpu, autoencoder, picture), reference: picture });
  }
  return {
    figures: await meanFigures(judged, { lpips }),
    sheet: await contactSheet(judged.map(({ image, reference }) => [image, reference]), {
      titles: ["reconstruction", "truth"],
    }),
  };
}

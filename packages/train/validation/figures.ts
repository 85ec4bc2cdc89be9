import { gridRatio, type Lpips, psnr, type Rgb8, ssim } from "@fluxsr/core";
import { type Gpu, read } from "@fluxsr/kernels";
import { toTensor } from "../data/pixels.ts";

/** Judges a picture by the true one; a distance, such as LPIPS. */
export type Distance = (image: Rgb8, reference: Rgb8) => Promise<number>;

/** LPIPS as a distance of pictures. */
export function lpipsDistance(gpu: Gpu, lpips: Lpips): Distance {
  return async (image, reference) => {
    using x = toTensor(gpu, image);
    using y = toTensor(gpu, reference);
    using distance = lpips.forward(x, y);
    const [values] = await read(distance);
    return values?.[0] ?? NaN;
  };
}

/** A picture and the one that it should be. */
export interface Judged {
  readonly image: Rgb8;
  readonly reference: Rgb8;
}

/**
 * Mean figures of pictures: `psnr_y` in dB, `ssim_y`, `grid` (period-16 energy relative to the reference), and `lpips`
 * if there is a network for it. Four pixels at the border are left out of PSNR and SSIM, as is customary
 * at x4. Sides must be at least 96 px, which the grid figure needs.
 */
export async function meanFigures(
  pictures: readonly Judged[],
  { lpips }: { lpips?: Distance | undefined } = {},
): Promise<Record<string, number>> {
  const options = { luma: true, cropBorder: 4 };
  const of = async ({ image, reference }: Judged) => ({
    psnr_y: psnr(reference, image, options),
    ssim_y: ssim(reference, image, options),
    grid: gridRatio(reference, image, { cropBorder: 0 }),
    ...(lpips && { lpips: await lpips(image, reference) }),
  });
  const all: Record<string, number>[] = [];
  for (const picture of pictures) all.push(await of(picture));
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, all.reduce((sum, each) => sum + (each[name] ?? NaN), 0) / all.length]),
  );
}

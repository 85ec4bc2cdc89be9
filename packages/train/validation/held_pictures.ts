import type { Rgb8 } from "@fluxsr/core";
import { crop, openPictures } from "../data/pictures.ts";
import { randomOf } from "../random.ts";

/** A picture kept apart from training. */
export interface HeldPicture {
  readonly name: string;
  readonly picture: Rgb8;
}

/**
 * A square of `size` pixels of each of the first `count` pictures of files and folders, the same in every run.
 *
 * @throws {InputError} if a picture cannot be read, or none is large enough
 */
export async function heldPictures(
  paths: readonly string[],
  { count, size, notice = () => {} }: { count: number; size: number; notice?: (text: string) => void },
): Promise<HeldPicture[]> {
  const pictures = await openPictures(paths, { size, notice });
  const held: HeldPicture[] = [];
  for (let i = 0; i < Math.min(count, pictures.count); i++) {
    const { name, ...picture } = await pictures.picture(i);
    held.push({ name, picture: crop(picture, size, randomOf(0, "held", i)) });
  }
  return held;
}

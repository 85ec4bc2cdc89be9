import type { Size } from "@fluxsr/kernels";
import sharp from "sharp";
import { readImage } from "./read_image.ts";

/**
 * Width and height of the upright picture in a file, by its header; what the header does not tell, decoding does.
 *
 * @throws {InputError} as {@linkcode readImage}, if the header cannot be read
 */
export async function pictureSize(path: string): Promise<Size> {
  try {
    const { autoOrient } = await sharp(path).metadata();
    return autoOrient;
  } catch {
    return await readImage(path);
  }
}

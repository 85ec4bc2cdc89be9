import { extname } from "node:path";

/** Extensions of the picture files that are looked for in folders. */
export const PICTURE_EXTENSIONS: readonly string[] = [
  ".png",
  ".jpg",
  ".jpeg",
  ".webp",
  ".avif",
  ".tif",
  ".tiff",
  ".gif",
];

/** Whether a name ends as a picture file's does. */
export function isPictureName(name: string): boolean {
  return PICTURE_EXTENSIONS.includes(extname(name).toLowerCase());
}

import { extname } from "node:path";
import { InputError } from "../errors.ts";
import { osReason } from "../files/os_reason.ts";

/** Extensions of the picture files that are looked for in folders. */
const PICTURE_EXTENSIONS: readonly string[] = [
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

/**
 * The names of the picture files in `folder`, sorted; subfolders are not looked into.
 * @throws {InputError} if it cannot be read
 */
export async function pictureNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory && !name.startsWith(".") && isPictureName(name)) names.push(name);
    }
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound ? "there is none" : osReason(cause);
    throw new InputError(`Cannot read "${folder}": it must be a folder that can be read: ${reason}`, { cause });
  }
  return names.sort();
}

/** The error that a folder has no picture to take. */
export function noPicture(folder: string, { state = "it has none", hint }: { state?: string; hint?: string } = {}) {
  const rule = `the folder must hold a picture (${PICTURE_EXTENSIONS.join(" ")})`;
  return new InputError(`Cannot read "${folder}": ${rule}: ${state}`, hint === undefined ? {} : { hint });
}

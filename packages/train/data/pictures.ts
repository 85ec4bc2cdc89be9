import { join } from "node:path";
import { cut, InputError, noPicture, pictureNames, pictureSize, readImage, type Rgb8, toRgb8 } from "@fluxsr/core";
import type { Random } from "../random.ts";

/** What decoded pictures may take: 220 photographs of 1.5 million pixels. */
const CACHE_BYTES = 1e9;

/** A picture that has a name for messages. */
export interface NamedPicture extends Rgb8 {
  /** Its file. */
  readonly name: string;
}

/** Pictures to cut training samples from, each read when it is wanted. */
export interface Pictures {
  readonly count: number;
  /** Picture `i` in 8 bits; it is large enough for the crops that the pictures were opened for. */
  picture(i: number): Promise<NamedPicture>;
}

/** Options of {@linkcode openPictures}. */
export interface PicturesOptions {
  /** Side of the crops in pixels. */
  readonly size: number;
  /** Is told of pictures that are left out. */
  readonly notice: (text: string) => void;
}

/**
 * The pictures of files and folders, in the order of `paths` and within a folder of the names; subfolders are not looked
 * into. Only headers are read now; pictures that are smaller than the crop are left out with a notice.
 *
 * @throws {InputError} if a file is no picture that can be read, or none is left
 */
export async function openPictures(paths: readonly string[], { size, notice }: PicturesOptions): Promise<Pictures> {
  const files: string[] = [];
  for (const path of (await Promise.all(paths.map(pictureFiles))).flat()) {
    const { width, height } = await pictureSize(path);
    if (Math.min(width, height) >= size) files.push(path);
    else notice(`left out ${path}: it has ${width} x ${height} pixels, crops have ${size} x ${size}`);
  }
  if (files.length === 0) {
    throw new InputError(
      `Cannot use the pictures of ${
        paths.map((path) => `"${path}"`).join(", ")
      }: one must have ${size} x ${size} pixels: none has`,
    );
  }
  const cache = new PictureCache(CACHE_BYTES);
  return { count: files.length, picture: (i) => cache.get(files[i]!) };
}

/** `path`, or the pictures in it if it is a folder. */
async function pictureFiles(path: string): Promise<string[]> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isDirectory) return [path];
  const names = await pictureNames(path);
  if (names.length === 0) throw noPicture(path);
  return names.map((name) => join(path, name));
}

/** Reads pictures as 8-bit RGB and keeps those used last, as many as fit. */
class PictureCache {
  readonly #capacity: number;
  /** The one used last comes last. */
  readonly #pictures = new Map<string, NamedPicture>();
  #bytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async get(path: string): Promise<NamedPicture> {
    const picture = this.#pictures.get(path) ?? { name: path, ...toRgb8(await readImage(path)) };
    this.#drop(path);
    this.#pictures.set(path, picture);
    this.#bytes += picture.rgb.length;
    for (const oldest of this.#pictures.keys()) {
      if (this.#bytes <= this.#capacity) break;
      this.#drop(oldest);
    }
    return picture;
  }

  #drop(path: string): void {
    this.#bytes -= this.#pictures.get(path)?.rgb.length ?? 0;
    this.#pictures.delete(path);
  }
}

/** A square of `size` pixels anywhere in `picture`, which must be at least that large. */
export function crop(picture: Rgb8, size: number, random: Random): Rgb8 {
  const left = random.integer(picture.width - size + 1);
  const top = random.integer(picture.height - size + 1);
  return cut(picture, { left, top, width: size, height: size });
}

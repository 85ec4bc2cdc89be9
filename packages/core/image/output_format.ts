import type { Sharp } from "sharp";
import { InputError } from "../errors.ts";

/** What a format that we write can hold, and how it is encoded. */
export interface OutputFormat {
  readonly name: string;
  readonly extensions: readonly string[];
  /** Most bits per channel. */
  readonly depth: 8 | 16;
  readonly alpha: boolean;
  /** Whether libvips can put an EXIF block into it. */
  readonly exif: boolean;
  /** Largest width and height. */
  readonly maxSide: number;
  /** @param byteLength Size of the raw samples */
  encode(image: Sharp, byteLength: number): Sharp;
}

const FORMATS: readonly OutputFormat[] = [
  {
    name: "PNG",
    extensions: [".png"],
    depth: 16,
    alpha: true,
    exif: true,
    maxSide: Infinity,
    encode: (image) => image.png({ compressionLevel: 6, adaptiveFiltering: true }),
  },
  {
    name: "JPEG",
    extensions: [".jpg", ".jpeg"],
    depth: 8,
    alpha: false,
    exif: true,
    maxSide: 65500, // libjpeg's limit; the format itself allows 65535
    encode: (image) => image.jpeg({ quality: 95, chromaSubsampling: "4:4:4" }),
  },
  {
    name: "WebP",
    extensions: [".webp"],
    depth: 8,
    alpha: true,
    exif: true,
    maxSide: 16383,
    encode: (image) => image.webp({ quality: 95, smartSubsample: true, exact: true }),
  },
  {
    name: "AVIF",
    extensions: [".avif"],
    depth: 8,
    alpha: true,
    exif: true,
    maxSide: 16384, // sharp's limit; the format itself allows 65536
    // The default effort 4 makes files 10% smaller, but takes 9 times as long.
    encode: (image) => image.avif({ quality: 85, chromaSubsampling: "4:4:4", effort: 2 }),
  },
  {
    name: "TIFF",
    extensions: [".tif", ".tiff"],
    depth: 16,
    alpha: true,
    exif: false,
    maxSide: Infinity,
    encode: (image, byteLength) =>
      image.tiff({ compression: "deflate", predictor: "horizontal", bigtiff: byteLength >= 2 ** 31 }),
  },
];

/**
 * The format that a file name's extension asks for, in upper or lower case.
 *
 * @throws {InputError} if it is none that we write
 */
export function outputFormat(path: string): OutputFormat {
  const extension = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase() ?? "";
  const format = FORMATS.find(({ extensions }) => extensions.includes(extension));
  if (format) return format;
  const known = FORMATS.flatMap(({ extensions }) => extensions).join(" ");
  throw new InputError(`Cannot write "${path}": the name must end in one of ${known}: it ends in "${extension}"`);
}

import sharp from "sharp";
import { InputError } from "../errors.ts";
import { metadataCarrier } from "./_metadata_carrier.ts";
import { type OutputFormat, outputFormat } from "./output_format.ts";
import type { Picture } from "./picture.ts";
import { checkPlace, writeAtomically } from "../files/write_atomically.ts";

/** What {@linkcode writeImage} wrote. */
export interface Written {
  /** Size of the file. */
  readonly bytes: number;
  /** What the format could not hold, for the user. */
  readonly notes: readonly string[];
}

/**
 * Writes a picture as PNG, JPEG, WebP, AVIF or TIFF (by the extension), tagged sRGB, with its EXIF block.
 *
 * PNG and TIFF keep 16 bits, the others are rounded to 8; JPEG drops alpha; TIFF drops EXIF: each with a note. The file
 * appears under its name complete or not at all.
 *
 * @throws {InputError} if the extension is unknown, the picture too large for the format, the folder missing or not
 * writable, the disk full, or the file exists without `overwrite`
 */
export async function writeImage(
  path: string,
  picture: Picture,
  { overwrite = false }: { overwrite?: boolean } = {},
): Promise<Written> {
  const format = outputFormat(path);
  checkPicture(path, picture, format);
  await checkPlace(path, { overwrite });
  const bytes = await encode(picture, format);
  await writeAtomically(path, bytes, { overwrite });
  return { bytes: bytes.length, notes: losses(picture, format) };
}

function checkPicture(path: string, { width, height, rgb, alpha }: Picture, { name, maxSide }: OutputFormat): void {
  if (!(width >= 1 && height >= 1 && rgb.length === width * height * 3)) {
    throw new RangeError(`Cannot write a picture of ${width} x ${height} pixels: it has ${rgb.length} samples`);
  }
  if (alpha && alpha.length !== width * height) {
    throw new RangeError(`Cannot write a picture of ${width} x ${height} pixels: alpha has ${alpha.length} samples`);
  }
  if (Math.max(width, height) <= maxSide) return;
  throw new InputError(
    `Cannot write "${path}": ${name} sides must be at most ${maxSide} pixels: the picture has ${width} x ${height}`,
    { hint: "Write PNG or TIFF, or use a smaller --scale." },
  );
}

async function encode(picture: Picture, format: OutputFormat): Promise<Uint8Array> {
  const { width, height, exif } = picture;
  const depth = picture.depth === 16 ? format.depth : 8;
  const fit = (samples: Uint8Array | Uint16Array) => picture.depth > depth ? roundToBytes(samples) : samples;
  const rgb = fit(picture.rgb);
  const alpha = picture.alpha && format.alpha ? fit(picture.alpha) : undefined;
  const channels = alpha ? 4 : 3;
  const samples = alpha ? interleave(rgb, alpha) : rgb;
  const image = sharp(samples, { raw: { width, height, channels }, limitInputPixels: false })
    .boolean(await metadataCarrier({ depth, channels, exif }), "or")
    .toColourspace(depth === 16 ? "rgb16" : "srgb")
    .keepIccProfile()
    .keepExif();
  return await format.encode(image, samples.byteLength).toBuffer();
}

function losses({ depth, alpha, exif }: Picture, format: OutputFormat): string[] {
  const notes: string[] = [];
  if (depth > format.depth) notes.push(`16-bit samples: rounded to 8 bits for ${format.name}`);
  if (alpha && !format.alpha) notes.push(`alpha: dropped, ${format.name} has none`);
  if (exif && !format.exif) notes.push(`EXIF: dropped, it cannot be written to ${format.name}`);
  return notes;
}

/** 0..65535 to the nearest of 0..255. */
function roundToBytes(samples: Uint8Array | Uint16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(samples[i]! / 257);
  return bytes;
}

/** rgb [pixels, 3], alpha [pixels] -> [pixels, 4] */
function interleave(rgb: Uint8Array | Uint16Array, alpha: Uint8Array | Uint16Array): Uint8Array | Uint16Array {
  const rgba = rgb instanceof Uint16Array ? new Uint16Array(alpha.length * 4) : new Uint8Array(alpha.length * 4);
  for (let i = 0; i < alpha.length; i++) {
    rgba[i * 4] = rgb[i * 3]!;
    rgba[i * 4 + 1] = rgb[i * 3 + 1]!;
    rgba[i * 4 + 2] = rgb[i * 3 + 2]!;
    rgba[i * 4 + 3] = alpha[i]!;
  }
  return rgba;
}

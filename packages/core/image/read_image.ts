import sharp, { type Metadata } from "sharp";
import { InputError } from "../errors.ts";
import { uprightExif } from "./_exif.ts";
import { osReason } from "../files/os_reason.ts";
import { isSrgbProfile } from "./_srgb_profile.ts";
import type { Picture } from "./picture.ts";
import { sniffFormat } from "./sniff_format.ts";

const READABLE = ["PNG", "JPEG", "WebP", "AVIF", "TIFF", "GIF"];

/** Bits per channel of the result, by the colour space that sharp reports. */
const DEPTHS: Record<string, 8 | 16> = { "srgb": 8, "rgb": 8, "b-w": 8, "cmyk": 8, "rgb16": 16, "grey16": 16 };

/** Fails on truncated or damaged data, but not on what decoders only warn about (an odd but known colour profile). */
const FAIL_ON = "error";

/**
 * Reads a PNG, JPEG, WebP, AVIF, TIFF or GIF file as upright sRGB.
 *
 * 8-bit files give depth 8; 16-bit PNG and TIFF and 10- and 12-bit AVIF give depth 16 without a loss. Of an animation or
 * a file of several pages the first picture is used, with a note.
 *
 * @param options.maxPixels Refuse larger pictures before decoding them (default 2^28)
 * @throws {InputError} if the file is missing, a folder, unreadable, empty, not an image, of an unsupported format or
 * kind of samples, too large, of zero size, truncated or damaged
 */
export async function readImage(path: string, options: { maxPixels?: number } = {}): Promise<Picture> {
  const { maxPixels = 2 ** 28 } = options;
  const file = await readFile(path);
  const format = checkFormat(path, file);
  const header = await readHeader(path, file, format);
  const { width, height, space, channels: bands, icc } = header;
  if (width * height > maxPixels) {
    fail(path, `the picture must have at most ${maxPixels} pixels: it has ${width} x ${height}`);
  }
  const depth = DEPTHS[space];
  if (depth === undefined || !["uchar", "ushort"].includes(header.depth)) {
    fail(path, `samples must be 8- or 16-bit RGB, grey or CMYK: they are ${header.depth} in "${space}"`);
  }
  const ignoreIcc = icc !== undefined && isSrgbProfile(icc);
  const image = sharp(file, { failOn: FAIL_ON, limitInputPixels: false, ignoreIcc, autoOrient: true });
  // sharp alone would turn a 16-bit picture with a profile into Display P3.
  if (space === "rgb16" && icc !== undefined && !ignoreIcc) image.withIccProfile("srgb");
  image.toColourspace(depth === 16 ? "rgb16" : "srgb").raw({ depth: depth === 16 ? "ushort" : "uchar" });
  const { data, info } = await image.toBuffer({ resolveWithObject: true })
    .catch((error) => failDamaged(path, format, error));

  const SampleArray = depth === 16 ? Uint16Array : Uint8Array;
  const samples = new SampleArray(data.buffer, data.byteOffset, info.width * info.height * info.channels);
  const exif = header.exif && uprightExif(header.exif);
  return {
    width: info.width,
    height: info.height,
    depth,
    ...splitAlpha(samples, info.channels),
    grey: bands < 3,
    ...(exif && { exif }),
    notes: notesOn(header),
  };
}

function fail(path: string, state: string, options: { hint?: string; cause?: unknown } = {}): never {
  throw new InputError(`Cannot read "${path}": ${state}`, options);
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory) fail(path, "it must be a file: it is a folder");
    return await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const missing = cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory;
    if (missing) fail(path, "the file must exist: there is none of this name", { cause });
    fail(path, `the file must be readable: ${osReason(cause)}`, { cause });
  }
}

function checkFormat(path: string, file: Uint8Array): string {
  if (file.length === 0) fail(path, "the file must be an image: it is empty");
  const format = sniffFormat(file);
  if (format === undefined) fail(path, "the file must be an image: its first bytes are those of none");
  if (READABLE.includes(format)) return format;
  fail(path, `the format must be one of ${READABLE.join(", ")}: it is ${format}`, { hint: "Convert it to PNG first." });
}

async function readHeader(path: string, file: Uint8Array, format: string): Promise<Metadata> {
  try {
    return await sharp(file, { failOn: FAIL_ON, limitInputPixels: false }).metadata();
  } catch (cause) {
    const pngSide = (offset: number) => new DataView(file.buffer, file.byteOffset).getUint32(offset);
    const emptyPng = format === "PNG" && file.length >= 24 && pngSide(16) * pngSide(20) === 0;
    const emptyJpeg = format === "JPEG" && String(cause).includes("Empty JPEG image");
    if (emptyPng || emptyJpeg) {
      fail(path, "the picture must have at least one pixel: its header says that it has none", { cause });
    }
    return failDamaged(path, format, cause);
  }
}

/** The last line that libvips wrote is the reason, but for libheif's lines on seeking. */
function failDamaged(path: string, format: string, cause: unknown): never {
  const lines = (cause instanceof Error ? cause.message : String(cause)).split("\n").map((line) => line.trim());
  const reason = lines.findLast((line) => /[a-z]/.test(line) && !line.startsWith("source: bad seek"));
  fail(path, `the ${format} must be complete and undamaged: ${reason?.replace(/^Input buffer /, "") ?? lines[0]}`, {
    hint: "The file may have been cut short when it was copied or downloaded.",
    cause,
  });
}

/** Splits interleaved samples [pixels, channels], 3 or more channels, into RGB and the fourth. */
function splitAlpha(samples: Uint8Array | Uint16Array, channels: number): Pick<Picture, "rgb" | "alpha"> {
  if (channels === 3) return { rgb: samples };
  const pixels = samples.length / channels;
  const SampleArray = samples instanceof Uint16Array ? Uint16Array : Uint8Array;
  const rgb = new SampleArray(pixels * 3);
  const alpha = new SampleArray(pixels);
  for (let i = 0; i < pixels; i++) {
    rgb[i * 3] = samples[i * channels]!;
    rgb[i * 3 + 1] = samples[i * channels + 1]!;
    rgb[i * 3 + 2] = samples[i * channels + 2]!;
    alpha[i] = samples[i * channels + 3]!;
  }
  return { rgb, alpha };
}

function notesOn({ pages = 1, delay, space, depth, icc, exif }: Metadata): string[] {
  const notes: string[] = [];
  if (pages > 1) {
    notes.push(delay ? `animated: used frame 1 of ${pages}` : `several pictures: used number 1 of ${pages}`);
  }
  if (space === "cmyk" && depth === "ushort") notes.push("16-bit CMYK: read as 8-bit");
  if (space === "grey16" && icc && !isSrgbProfile(icc)) notes.push("16-bit grey: colour profile ignored");
  if (exif && !uprightExif(exif)) notes.push("EXIF: dropped, it is damaged");
  return notes;
}

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import sharp from "sharp";

/** Where the chunks after a PNG's header (8 bytes signature, 25 bytes IHDR) begin. */
const AFTER_HEADER = 33;

/**
 * A PNG of one pixel, all zero, tagged sRGB and with the given EXIF block.
 *
 * sharp keeps metadata only of images that it was given, it cannot attach a raw EXIF block, and `withIccProfile("srgb")`
 * on 16-bit samples converts them as if they were Display P3. So the metadata rides on this pixel: libvips extends it
 * with zeros to the picture's size, a bitwise "or" with zeros leaves every sample as it was, and the result has the
 * metadata of both.
 */
export async function metadataCarrier(
  { depth, channels, exif }: { depth: 8 | 16; channels: 3 | 4; exif: Uint8Array | undefined },
): Promise<Buffer> {
  const pixel = depth === 16 ? new Uint16Array(channels) : new Uint8Array(channels);
  const png = await sharp(pixel, { raw: { width: 1, height: 1, channels } })
    .toColourspace(depth === 16 ? "rgb16" : "srgb")
    .withIccProfile("srgb")
    .png()
    .toBuffer();
  if (!exif) return png;
  return Buffer.concat([png.subarray(0, AFTER_HEADER), pngChunk("eXIf", exif), png.subarray(AFTER_HEADER)]);
}

/** Length, name, data, checksum of name and data. */
function pngChunk(name: string, data: Uint8Array): Buffer {
  const chunk = Buffer.alloc(data.length + 12);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(name, 4, "latin1");
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, data.length + 8)), data.length + 8);
  return chunk;
}

/** Small pictures, good and bad. */
import sharp from "sharp";
import { crc32 } from "node:zlib";

/** A picture with some structure: a gradient and a chequered pattern. */
export function picture(width: number, height: number) {
  const raw = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    raw.set([(255 * x) / width, (255 * y) / height, (x >> 2) + (y >> 2) & 1 ? 200 : 60], i * 3);
  }
  return sharp(raw, { raw: { width, height, channels: 3 } });
}

/** A PNG whose header says that it has a thousand million pixels. */
export async function bomb(): Promise<Uint8Array> {
  const png = new Uint8Array(await picture(8, 8).png().toBuffer());
  const view = new DataView(png.buffer);
  view.setUint32(16, 100_000);
  view.setUint32(20, 10_000);
  view.setUint32(29, crc32(png.subarray(12, 29)));
  return png;
}

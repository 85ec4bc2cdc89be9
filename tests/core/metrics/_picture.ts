import { readImage } from "../../../packages/core/image/read_image.ts";
import type { Rgb8 } from "../../../packages/core/image/rgb8.ts";

/** A picture of the golden case. */
export async function goldenPicture(name: string): Promise<Rgb8> {
  const { width, height, rgb } = await readImage(new URL(`../../golden/metrics/${name}`, import.meta.url).pathname);
  return { width, height, rgb: rgb as Uint8Array };
}

/** The part of a picture from (x, y) on. */
export function part(picture: Rgb8, { x, y, width, height }: { x: number; y: number; width: number; height: number }) {
  return painted(
    width,
    height,
    (column, row, channel) => picture.rgb[((row + y) * picture.width + column + x) * 3 + channel]!,
  );
}

/** A picture of `value(column, row, channel)`, rounded and clamped to 0..255. */
export function painted(
  width: number,
  height: number,
  value: (column: number, row: number, channel: number) => number,
): Rgb8 {
  const rgb = Uint8ClampedArray.from(
    { length: width * height * 3 },
    (_, i) => value(Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3),
  );
  return { width, height, rgb: new Uint8Array(rgb) };
}

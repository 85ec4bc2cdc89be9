import { type Rectangle, split, type Tensor } from "@fluxsr/kernels";
import type { Random } from "../random.ts";

/** A square of side `crop` anywhere in pictures of side `size`, at multiples of `step`; undefined: all of them. */
export function randomWindow(
  size: number,
  { crop, step, random }: { crop: number | undefined; step: number; random: Random },
): Rectangle | undefined {
  if (crop === undefined || crop >= size) return undefined;
  const place = () => step * random.integer(Math.floor((size - crop) / step) + 1);
  const [top, left] = [place(), place()];
  return { top, left, height: crop, width: crop };
}

/** The part of latents, `factor` times smaller than pictures, that is the part `window` of pictures. */
export function inLatents(window: Rectangle | undefined, factor: number): Rectangle | undefined {
  if (!window) return undefined;
  const { top, left, height, width } = window;
  return { top: top / factor, left: left / factor, height: height / factor, width: width / factor };
}

/** The part `window` of pictures or latents [B, H, W, C]; undefined: all. */
export function cut(x: Tensor, window: Rectangle | undefined): Tensor {
  if (!window) return x;
  const along = (y: Tensor, axis: number, start: number, length: number) =>
    split(y, axis, [start, length, (y.shape[axis] ?? 0) - start - length])[1]!;
  return along(along(x, 1, window.top, window.height), 2, window.left, window.width);
}

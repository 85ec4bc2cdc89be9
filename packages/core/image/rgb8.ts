import { type Gpu, type Rectangle, type Tensor, tensor } from "@fluxsr/kernels";
import type { Rgb8 } from "../metrics/planes.ts";
import type { Picture } from "./picture.ts";

/** A picture in 8 bits, rounded, without alpha. */
export function toRgb8({ width, height, rgb }: Pick<Picture, "width" | "height" | "rgb">): Rgb8 {
  return { width, height, rgb: rgb instanceof Uint8Array ? rgb : Uint8Array.from(rgb, (value) => (value + 128) / 257) };
}

/** The part of a picture that `rectangle` covers, which must lie inside. */
export function cut({ width: across, rgb }: Rgb8, { left, top, width, height }: Rectangle): Rgb8 {
  const part = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * across + left) * 3;
    part.set(rgb.subarray(start, start + width * 3), row * width * 3);
  }
  return { width, height, rgb: part };
}

/** An 8-bit picture as the networks see it: [1, h, w, 3] in [-1, 1]. */
export function toTensor(gpu: Gpu, { rgb, height, width }: Rgb8): Tensor {
  return tensor(gpu, Float32Array.from(rgb, (value) => value / 127.5 - 1), [1, height, width, 3]);
}

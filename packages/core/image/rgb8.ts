import { type Gpu, type Rectangle, type Tensor, tensor } from "@fluxsr/kernels";
import type { Picture } from "./picture.ts";

/** An 8-bit RGB picture: rgb [height, width, 3]. */
export interface Rgb8 {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

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

/** 8-bit pictures of one size as the networks see them: [B, h, w, 3] in [-1, 1]. */
export function toTensor(gpu: Gpu, pictures: Rgb8 | readonly [Rgb8, ...Rgb8[]]): Tensor {
  const [first, ...rest] = "rgb" in pictures ? [pictures] : pictures;
  const { width, height } = first;
  const length = width * height * 3;
  const values = new Float32Array((1 + rest.length) * length);
  for (const [k, { rgb }] of [first, ...rest].entries()) {
    // A loop: Float32Array.from is 20 times slower, and batches of training are made here.
    for (let i = 0; i < length; i++) values[k * length + i] = rgb[i]! / 127.5 - 1;
  }
  return tensor(gpu, values, [1 + rest.length, height, width, 3]);
}

import type { Rgb8 } from "@fluxsr/core";
import { affine, bicubicResize, clamp, read, scoped, type Tensor } from "@fluxsr/kernels";

export { toTensor } from "@fluxsr/core";

/** The 8-bit picture nearest to a tensor [1, h, w, 3] in [-1, 1], which is clamped. */
export async function toPicture(x: Tensor): Promise<Rgb8> {
  const [picture] = await toPictures(x);
  return picture!;
}

/** The 8-bit pictures nearest to those of a tensor [B, h, w, 3] in [-1, 1], which is clamped. */
export async function toPictures(x: Tensor): Promise<Rgb8[]> {
  const [batch = 0, height = 0, width = 0] = x.shape;
  const [values = new Float32Array()] = await read(x);
  const length = height * width * 3;
  const pictures: Rgb8[] = [];
  // No function here captures the sides: where one did, all pictures from some call on had the sides of that call, in
  // three trainings and never outside of them, as if V8 15.0 (Deno 2.9.6) had optimised the function for it.
  for (let start = 0; start < batch * length; start += length) {
    pictures.push({ width, height, rgb: toBytes(values.subarray(start, start + length)) });
  }
  return pictures;
}

/** A plain loop, which takes a sixth of the time of Uint8Array.from(). */
function toBytes(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    bytes[i] = Math.round(255 * Math.min(1, Math.max(0, (values[i]! + 1) / 2)));
  }
  return bytes;
}

/** From [-1, 1] to [0, 1]. */
export function unit(x: Tensor): Tensor {
  return affine(x, { scale: 0.5, offset: 0.5 });
}

/** From [0, 1] to [-1, 1]. */
export function symmetric(x: Tensor): Tensor {
  return affine(x, { scale: 2, offset: -1 });
}

/** A picture [1, h, w, 3] in [0, 1] as the encoder takes it: bicubically `scale` times larger, in [-1, 1]. */
export function enlarged(x: Tensor, { scale }: { scale: number }): Tensor {
  const [, height = 0, width = 0] = x.shape;
  return scoped(x.gpu, () => {
    const larger = bicubicResize(x, { height: height * scale, width: width * scale });
    return symmetric(clamp(larger, 0, 1));
  });
}

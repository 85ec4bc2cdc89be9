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
  return Array.from({ length: batch }, (_, k) => {
    const rgb = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      rgb[i] = Math.round(255 * Math.min(1, Math.max(0, (values[k * length + i]! + 1) / 2)));
    }
    return { width, height, rgb };
  });
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

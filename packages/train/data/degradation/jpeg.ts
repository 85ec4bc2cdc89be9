import { scoped, type Tensor } from "@fluxsr/kernels";
import sharp from "sharp";
import { symmetric, toPicture, toTensor, unit } from "../pixels.ts";

/**
 * What is left of a picture after JPEG compression of `quality` 1 to 100, colours at half the resolution:
 * `x [1, h, w, 3] -> [1, h, w, 3]`, clamped to [0, 1]. Waits for the GPU.
 */
export async function compressJpeg(x: Tensor, { quality }: { quality: number }): Promise<Tensor> {
  using signed = symmetric(x);
  const { rgb, width, height } = await toPicture(signed);
  const file = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality, chromaSubsampling: "4:2:0" }).toBuffer();
  const decoded = new Uint8Array(await sharp(file).raw().toBuffer());
  return scoped(x.gpu, () => unit(toTensor(x.gpu, { rgb: decoded, width, height })));
}

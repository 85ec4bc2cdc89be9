import {
  bicubicResize,
  bicubicSource,
  clamp,
  type Gpu,
  read,
  type Rectangle,
  scoped,
  type Size,
  type Tensor,
  tensor,
} from "@fluxsr/kernels";
import type { Picture } from "./image/picture.ts";

/**
 * The part `window` of a picture's bicubic enlargement to `size`, in [0, 1]; beyond the edges it is mirrored.
 * Only the pixels that it needs are uploaded. Returns [1, h, w, 3].
 */
export function enlargePart(gpu: Gpu, picture: Picture, { size, window }: { size: Size; window: Rectangle }): Tensor {
  return resizePart(gpu, { values: picture.rgb, channels: 3, picture }, { size, window });
}

/** Rows of alpha that are enlarged at a time. */
const BAND = 256;

/** Bicubic enlargement of the alpha channel, apart from the colours and in bands; same depth. */
export async function enlargeAlpha(
  gpu: Gpu,
  { picture, alpha, size }: { picture: Picture; alpha: Uint8Array | Uint16Array; size: Size },
): Promise<Uint8Array | Uint16Array> {
  const count = size.height * size.width;
  const result = picture.depth === 16 ? new Uint16Array(count) : new Uint8Array(count);
  const max = 2 ** picture.depth - 1;
  for (let top = 0; top < size.height; top += BAND) {
    const window = { top, left: 0, height: Math.min(BAND, size.height - top), width: size.width };
    const band = resizePart(gpu, { values: alpha, channels: 1, picture }, { size, window });
    const [values = new Float32Array()] = await read(band);
    band.dispose();
    const first = top * size.width;
    for (let i = 0; i < values.length; i++) result[first + i] = Math.round((values[i] ?? 0) * max);
  }
  return result;
}

function resizePart(
  gpu: Gpu,
  { values, channels, picture }: { values: Uint8Array | Uint16Array; channels: number; picture: Picture },
  { size, window }: { size: Size; window: Rectangle },
): Tensor {
  const crop = bicubicSource(picture, { ...size, window });
  const max = 2 ** picture.depth - 1;
  const part = new Float32Array(crop.height * crop.width * channels);
  const rowLength = crop.width * channels;
  for (let row = 0; row < crop.height; row++) {
    const from = ((crop.top + row) * picture.width + crop.left) * channels;
    for (let i = 0; i < rowLength; i++) part[row * rowLength + i] = (values[from + i] ?? 0) / max;
  }
  return scoped(gpu, () => {
    const x = tensor(gpu, part, [1, crop.height, crop.width, channels]);
    const full = { top: crop.top, left: crop.left, height: picture.height, width: picture.width };
    return clamp(bicubicResize(x, { ...size, window, crop: full }), 0, 1);
  });
}

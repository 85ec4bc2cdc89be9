import { GpuError } from "@fluxsr/kernels";
import type { Picture } from "./image/picture.ts";

/** Share of the range of values by which a mean may move; what is restored moves by less than a hundredth. */
const LIMIT = 1 / 8;

/**
 * Checks that the mean colour of `result` is about that of `source`, of which it is an enlargement with colours fixed: a
 * driver that computes nothing, or wrongly, mostly leaves a black picture, and says nothing.
 *
 * @throws {GpuError} if a channel's mean is off by more than an eighth of the range
 */
export function checkColors(source: Picture, result: Picture): void {
  const [before, after] = [means(source), means(result)];
  const shift = Math.max(...before.map((mean, channel) => Math.abs(mean - after[channel]!)));
  if (shift <= LIMIT) return;
  throw new GpuError(
    `Cannot upscale: the result must have the picture's colours: their mean is off by ${
      Math.round(100 * shift)
    } % of the range`,
    "run `deno task doctor`: the GPU or its driver may compute wrongly; or see what --color-fix none gives",
  );
}

/** Of R, G and B, as shares of the largest value. */
function means({ rgb, depth }: Picture): [number, number, number] {
  let [r, g, b] = [0, 0, 0];
  for (let i = 0; i < rgb.length; i += 3) {
    r += rgb[i]!;
    g += rgb[i + 1]!;
    b += rgb[i + 2]!;
  }
  const whole = rgb.length / 3 * (2 ** depth - 1);
  return [r / whole, g / whole, b / whole];
}

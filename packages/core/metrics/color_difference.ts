import type { Rgb8 } from "../image/rgb8.ts";

/**
 * How far the mean colours of two pictures are apart, in steps of 8 bits: the largest difference of the means of R, G
 * and B, 0 to 255. The pictures may differ in size.
 */
export function colorDifference(reference: Rgb8, image: Rgb8): number {
  const [a, b] = [means(reference), means(image)];
  return Math.max(...a.map((mean, channel) => Math.abs(mean - b[channel]!)));
}

function means({ rgb }: Rgb8): number[] {
  const sums = [0, 0, 0];
  for (let i = 0; i < rgb.length; i++) sums[i % 3]! += rgb[i]!;
  return sums.map((sum) => 3 * sum / rgb.length);
}

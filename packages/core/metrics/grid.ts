import type { Rgb8 } from "../image/rgb8.ts";
import { lumaPlane, type MetricOptions, type Plane } from "./planes.ts";

/** What a token of FLUX covers: 2 x 2 latents of 8 x 8 pixels. */
const PERIOD = 16;

/** Length of a segment: a multiple of the period, so that the grid's frequencies fall on bins; 6 bins apart. */
const SEGMENT = 6 * PERIOD;

/** Distances, in bins, of a frequency's neighbours: what a line spectrum does not reach through a Hann window. */
const NEIGHBOURS = [-3, -2, 2, 3];

/** The periodic Hann window: all of a sinusoid at a bin is in that bin and the two beside it. */
const WINDOW = turns((angle) => 0.5 - 0.5 * Math.cos(angle));
const COS = turns(Math.cos);
const SIN = turns(Math.sin);

/** Power that 8-bit rounding (variance 1/12) leaves in a bin: the window's squares add up to 3/8 of its length. */
const ROUNDING = 1 / 12 / PERIOD * (3 / 8) * SEGMENT;

/**
 * How much more of a 16-pixel grid, the size of a token, a picture has than its reference: 1 as much, above 1 more.
 *
 * The quotient of the two pictures' {@linkcode gridEnergy}. Content, noise and shifts leave it near 1, and so do JPEG's
 * blocks of 8. Only a pattern that repeats is seen: tiles that each differ by an amount of their own are none.
 *
 * @throws {RangeError} if a side is below 96 after cropping
 */
export function gridRatio(reference: Rgb8, image: Rgb8, options: Pick<MetricOptions, "cropBorder">): number {
  return gridEnergy(lumaPlane(image, options)) / gridEnergy(lumaPlane(reference, options));
}

/**
 * How far the harmonics of a 16-pixel grid stand out of a picture's spectrum: near 1 without a grid.
 *
 * `mean_k,axis (P(k / 16) + q) / (mean_d P(k / 16 + d / 96) + q)`, k = 1..8, d = -3, -2, 2, 3. P is the power spectrum of
 * bands of 16 lines, averaged across, in segments of 96 pixels that overlap by half, under a Hann window (Welch's method:
 * the mean over all segments and bands); q is the power of rounding to 8 bits, so that no pattern below it counts. A
 * sinusoid of one of the grid's frequencies does not reach the neighbours, whatever its phase; edges and noise fill both
 * alike.
 *
 * @param y Y, 0..255
 * @throws {RangeError} if a side is below 96
 */
export function gridEnergy(y: Plane): number {
  if (Math.min(y.width, y.height) < SEGMENT) {
    throw new RangeError(`Cannot measure the grid: sides must be at least ${SEGMENT}: ${y.width} x ${y.height}`);
  }
  const across = { count: y.height, length: y.width, stride: 1, next: y.width };
  const down = { count: y.width, length: y.height, stride: y.width, next: 1 };
  const ratios = [across, down].flatMap((lines) => {
    const power = spectrum(y.values, lines);
    return Array.from({ length: PERIOD / 2 }, (_, i) => {
      const bin = (i + 1) * SEGMENT / PERIOD;
      const around = NEIGHBOURS.reduce((sum, d) => sum + at(power, bin + d), 0) / NEIGHBOURS.length;
      return (at(power, bin) + ROUNDING) / (around + ROUNDING);
    });
  });
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

/** The lines of a picture in one direction: their number and length, and the pixels from one sample and line to the next. */
interface Lines {
  readonly count: number;
  readonly length: number;
  readonly stride: number;
  readonly next: number;
}

/** Mean power of all segments of all bands, by bin 0..48 of 96. */
function spectrum(values: Float64Array, { count, length, stride, next }: Lines): Float64Array {
  const power = new Float64Array(SEGMENT / 2 + 1);
  const segment = new Float64Array(SEGMENT);
  let segments = 0;
  for (let band = 0; band + PERIOD <= count; band += PERIOD) {
    for (let start = 0; start + SEGMENT <= length; start += SEGMENT / 2) {
      for (let i = 0; i < SEGMENT; i++) {
        let sum = 0;
        for (let line = band; line < band + PERIOD; line++) sum += values[line * next + (start + i) * stride]!;
        segment[i] = WINDOW[i]! * sum / PERIOD;
      }
      addPower(power, segment);
      segments++;
    }
  }
  return power.map((sum) => sum / segments);
}

/** The discrete Fourier transform as its plain sum: segments are short. */
function addPower(power: Float64Array, segment: Float64Array): void {
  for (let bin = 0; bin < power.length; bin++) {
    let [re, im] = [0, 0];
    for (let i = 0; i < SEGMENT; i++) {
      re += segment[i]! * COS[bin * i % SEGMENT]!;
      im += segment[i]! * SIN[bin * i % SEGMENT]!;
    }
    power[bin]! += re * re + im * im;
  }
}

/** The spectrum of real values is the same on both sides of its highest bin. */
function at(power: Float64Array, bin: number): number {
  return power[bin < power.length ? bin : SEGMENT - bin]!;
}

/** `value` at the angles of one turn. */
function turns(value: (angle: number) => number): Float64Array {
  return Float64Array.from({ length: SEGMENT }, (_, i) => value(2 * Math.PI * i / SEGMENT));
}

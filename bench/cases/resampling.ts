import { atrousBlur, bicubicResize, filter2d, interpolate, type Tensor } from "@fluxsr/kernels";
import * as degradation from "../../tests/reference/degradation.ts";
import * as picture from "../../tests/reference/picture.ts";
import { type Case, type Row, type Sample, someOf } from "../case.ts";
import { plainBackwardCase, plainCase } from "../plain.ts";
import { picks } from "../random.ts";
import type { BLURS, FILTERS, InterpolationShape, RESIZES } from "../shapes/pictures.ts";

/** Channels of a picture in the colour fix, the enlargement and the degradation. */
const RGB = 3;

export function resizeCases({ name, origin, side, result }: (typeof RESIZES)[number]): Case[] {
  const shape = [1, side, side, RGB] as const;
  const common = {
    shape: `${side}^2 x ${RGB} to ${result}^2`,
    origin,
    elements: (side ** 2 + result ** 2) * RGB,
    run: (x?: Tensor) => bicubicResize(x!, { height: result, width: result }),
  };
  return [
    plainCase({
      ...common,
      name: `bicubic_resize/${name}`,
      inputs: [shape],
      *samples(x): Generator<Sample> {
        for (const pixel of picks(result ** 2, 16)) {
          const window = { top: Math.floor(pixel / result), left: pixel % result, height: 1, width: 1 };
          const y = picture.bicubicResize(x!, { shape, height: result, width: result, window });
          for (const [c, expected] of y.entries()) yield { at: pixel * RGB + c, expected };
        }
      },
    }),
    plainBackwardCase({
      ...common,
      name: `bicubic_resize_backward/${name}`,
      inputs: [shape, [1, result, result, RGB]],
      wanted: 1,
      samples: (_, dy) =>
        adjointSamples(
          dy!,
          { side, result, channels: RGB },
          (at) => Array.from({ length: result }, (_, i) => picture.bicubicWeights(i, { size: side, result })[at]!),
        ),
    }),
  ];
}

/**
 * The gradient of some pixels of what was resampled along both axes, from that of the result, `dy`: the sum of the results
 * that a pixel went to, with the weights that it has in them: `weights(at)[i]` is that of sample `at` in result i.
 */
function* adjointSamples(
  dy: Float32Array,
  { side, result, channels }: { side: number; result: number; channels: number },
  weights: (at: number) => readonly number[],
): Generator<Sample> {
  for (const pixel of picks(side ** 2, 12)) {
    const [down, across] = [weights(Math.floor(pixel / side)), weights(pixel % side)];
    for (let c = 0; c < channels; c++) {
      let expected = 0;
      for (const [i, a] of down.entries()) {
        if (a === 0) continue;
        for (const [j, b] of across.entries()) expected += a * b * dy[(i * result + j) * channels + c]!;
      }
      yield { at: pixel * channels + c, expected };
    }
  }
}

export function blurCases({ name, origin, side, channels, dilation }: (typeof BLURS)[number]): Case[] {
  const shape = [1, side, side, channels] as const;
  const common = {
    shape: `${side}^2 x ${channels}, dilation ${dilation}`,
    origin,
    elements: 2 * side ** 2 * channels,
    run: (x?: Tensor) => atrousBlur(x!, { dilation }),
  };
  /** The weight of sample `at` in each result: of the taps that reach it, some from beyond the edge. */
  const weights = (at: number) =>
    Array.from({ length: side }, (_, i) =>
      [-1, 0, 1].reduce((sum, tap) => {
        const reached = Math.min(side - 1, Math.max(0, i + tap * dilation));
        return sum + (reached === at ? (2 - Math.abs(tap)) / 4 : 0);
      }, 0));
  return [
    plainCase({
      ...common,
      name: `atrous_blur/${name}`,
      inputs: [shape],
      samples: (x) => someOf(picture.atrousBlur(x!, { shape, dilation })),
    }),
    plainBackwardCase({
      ...common,
      name: `atrous_blur_backward/${name}`,
      inputs: [shape, shape],
      wanted: 1,
      samples: (_, dy) => adjointSamples(dy!, { side, result: side, channels }, weights),
    }),
  ];
}

export function filterCase({ name, origin, side, size }: (typeof FILTERS)[number]): Case {
  const shape = [1, side, side, RGB] as const;
  return plainCase({
    name: `filter2d/${name}`,
    shape: `${side}^2 x ${RGB}, ${size} x ${size} taps`,
    origin,
    flops: 2 * size ** 2 * side ** 2 * RGB,
    elements: 2 * side ** 2 * RGB + size ** 2,
    inputs: [shape, [size, size]],
    run: (x, taps) => filter2d(x!, taps!),
    samples: (x, taps) => someOf(degradation.filter2d(x!, { shape, taps: taps!, size: [size, size] })),
  });
}

/** Without gradient, as degradations need none. */
export function interpolateCase({ name, origin, mode, side, result }: Row<InterpolationShape>): Case {
  return plainCase({
    name: `interpolate/${name}`,
    shape: `${side}^2 x ${RGB} to ${result}^2`,
    origin,
    elements: (side ** 2 + result ** 2) * RGB,
    inputs: [[1, side, side, RGB]],
    run: (x) => interpolate(x!, { mode, height: result, width: result }),
    *samples(x): Generator<Sample> {
      const weights = degradation[mode]({ size: side, result, step: side / result });
      for (const pixel of picks(result ** 2, 16)) {
        for (let c = 0; c < RGB; c++) {
          let expected = 0;
          for (const [i, down] of weights(Math.floor(pixel / result))) {
            for (const [j, across] of weights(pixel % result)) {
              expected += down * across * x![(i * side + j) * RGB + c]!;
            }
          }
          yield { at: pixel * RGB + c, expected };
        }
      }
    },
  });
}

import { groupNorm, groupNormApply, type Tensor, tensor, totalVariation, upsampleNearest } from "@fluxsr/kernels";
import { silu } from "../../tests/reference/activation.ts";
import { slope } from "../../tests/reference/central_differences.ts";
import * as layout from "../../tests/reference/layout.ts";
import * as norm from "../../tests/reference/norm.ts";
import * as perceptual from "../../tests/reference/perceptual.ts";
import { type Case, type Row, type Sample, someOf } from "../case.ts";
import { plainBackwardCase, plainCase } from "../plain.ts";
import { picks, random } from "../random.ts";
import type { GroupNormShape, PictureShape } from "../shapes/pictures.ts";
import { EPS } from "./group_norm_backward.ts";

export function groupNormCase({ name, origin, side, channels, groups, plain = false }: Row<GroupNormShape>): Case {
  return {
    name: `group_norm${plain ? "" : "_silu"}/${name}`,
    shape: `${side}^2 x ${channels}, ${groups} groups`,
    origin,
    // Read twice: no statistics before all of a group was seen.
    bytes: 4 * (3 * side ** 2 + 2) * channels,
    open(gpu) {
      const data = { x: random(side ** 2 * channels, 1), weight: random(channels, 2), bias: random(channels, 3) };
      const x = tensor(gpu, data.x, [1, side, side, channels]);
      const weight = tensor(gpu, data.weight, [channels]);
      const bias = tensor(gpu, data.bias, [channels]);
      return {
        inputs: [x, weight, bias],
        run: () => groupNorm(x, { groups, weight, bias, silu: !plain }),
        samples,
      };

      /** Some pixels of the first and the last group; each group is a picture of its own. */
      function* samples(): Generator<Sample> {
        const [pixels, width] = [side ** 2, channels / groups];
        for (const group of [0, groups - 1]) {
          const start = group * width;
          const part = new Float32Array(pixels * width);
          for (let pixel = 0; pixel < pixels; pixel++) {
            const from = pixel * channels + start;
            part.set(data.x.subarray(from, from + width), pixel * width);
          }
          const y = norm.groupNorm(part, {
            batches: 1,
            pixels,
            channels: width,
            groups: 1,
            weight: data.weight.subarray(start, start + width),
            bias: data.bias.subarray(start, start + width),
            activate: !plain,
          });
          for (const pixel of picks(pixels, 16)) {
            for (let c = 0; c < width; c++) yield { at: pixel * channels + start + c, expected: y[pixel * width + c]! };
          }
        }
      }
    },
  };
}

/** Group norm of a tile with statistics from elsewhere, with SiLU after it. */
export function groupNormApplyCase({ name, origin, side, channels, groups }: Row<GroupNormShape>): Case {
  const size = side ** 2 * channels;
  return {
    name: `group_norm_silu_apply/${name}`,
    shape: `${side}^2 x ${channels}, ${groups} groups`,
    origin,
    bytes: 4 * (2 * size + 2 * channels + 2 * groups),
    open(gpu) {
      const [values, weights, biases] = [random(size, 1), random(channels, 2), random(channels, 3)];
      const moments = random(2 * groups, 4).map((value, i) => i < groups ? value : 1 + value / 2);
      const x = tensor(gpu, values, [1, side, side, channels]);
      const [weight, bias] = [tensor(gpu, weights, [channels]), tensor(gpu, biases, [channels])];
      const stats = tensor(gpu, moments, [1, 2, groups]);
      return {
        inputs: [x, weight, bias, stats],
        run: () => groupNormApply(x, { stats, weight, bias, silu: true, eps: EPS }),
        samples: () =>
          picks(size, 64).map((at) => {
            const channel = at % channels;
            const group = Math.floor(channel / (channels / groups));
            const normal = (values[at]! - moments[group]!) / Math.sqrt(moments[groups + group]! + EPS);
            return { at, expected: silu(weights[channel]! * normal + biases[channel]!) };
          }),
      };
    },
  };
}

/** From `side` to twice that, and back. */
export function upsampleCases({ name, origin, side, channels }: Row<PictureShape>): Case[] {
  const [small, large] = [[1, side, side, channels], [1, 2 * side, 2 * side, channels]];
  const common = {
    origin,
    shape: `${side}^2 x ${channels} to ${2 * side}^2`,
    elements: 5 * side ** 2 * channels,
    run: (x?: Tensor) => upsampleNearest(x!),
  };
  /** The four places that element `at` of the small picture goes to. */
  const copiesOf = (at: number) => {
    const [, row, column, channel] = layout.indexOf(at, small) as [number, number, number, number];
    return [0, 1, 2, 3].map((k) => layout.elementAt([0, 2 * row + (k >> 1), 2 * column + (k & 1), channel], large));
  };
  const some = picks(side ** 2 * channels, 64);
  return [
    plainCase({
      ...common,
      name: `upsample/${name}`,
      inputs: [small],
      samples: (x) => some.flatMap((from) => copiesOf(from).map((at) => ({ at, expected: x![from]! }))),
    }),
    plainBackwardCase({
      ...common,
      name: `upsample_backward/${name}`,
      inputs: [small, large],
      wanted: 1,
      samples: (_, dy) =>
        some.map((at) => ({ at, expected: copiesOf(at).reduce((sum, place) => sum + dy![place]!, 0) })),
    }),
  ];
}

export function totalVariationCases({ name, origin, side, channels }: Row<PictureShape>): Case[] {
  const shape = [1, side, side, channels];
  const size = side ** 2 * channels;
  const common = { origin, shape: `${side}^2 x ${channels}`, run: (x?: Tensor) => totalVariation(x!) };
  return [
    plainCase({
      ...common,
      name: `total_variation/${name}`,
      inputs: [shape],
      elements: 2 * size,
      samples: (x) => someOf(perceptual.totalVariation(x!, shape)),
    }),
    plainBackwardCase({
      ...common,
      name: `total_variation_backward/${name}`,
      inputs: [shape, shape],
      wanted: 1,
      elements: 3 * size,
      samples: (x, dy) => picks(size, 16).map((at) => ({ at, expected: variationSlope([x!, dy!], at, shape) })),
    }),
  ];
}

/** How the variations that element `at` of x is part of, its own and those above and to the left, follow it. */
function variationSlope([x, dy]: [Float32Array, Float32Array], at: number, shape: readonly number[]): number {
  const [, side = 0, , channels = 0] = shape;
  const [, row = 0, column = 0] = layout.indexOf(at, shape);
  const value = (place: number, distance: number) => x[place]! + (place === at ? distance : 0);
  const steps = [
    { step: side * channels, own: row + 1 < side, before: row > 0 },
    { step: channels, own: column + 1 < side, before: column > 0 },
  ];
  return slope((distance) =>
    steps.reduce((sum, { step, own, before }) => {
      const change = (place: number) => dy[place]! * Math.abs(value(place + step, distance) - value(place, distance));
      return sum + (own ? change(at) : 0) + (before ? change(at - step) : 0);
    }, 0)
  );
}

import { atrousBlur, bicubicResize, groupNorm, tensor, upsampleNearest } from "@fluxsr/kernels";
import * as layout from "../../tests/reference/layout.ts";
import * as norm from "../../tests/reference/norm.ts";
import * as picture from "../../tests/reference/picture.ts";
import type { Case, Row, Sample } from "../case.ts";
import { picks, random } from "../random.ts";
import type { BLURS, GroupNormShape, PictureShape, RESIZES } from "../shapes.ts";

/** Channels of a picture in the colour fix and the enlargement. */
const RGB = 3;

export function groupNormCase({ name, origin, side, channels, groups }: Row<GroupNormShape>): Case {
  return {
    name: `group_norm_silu/${name}`,
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
        run: () => groupNorm(x, { groups, weight, bias, silu: true }),
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
            activate: true,
          });
          for (const pixel of picks(pixels, 16)) {
            for (let c = 0; c < width; c++) yield { at: pixel * channels + start + c, expected: y[pixel * width + c]! };
          }
        }
      }
    },
  };
}

export function upsampleCase({ name, origin, side, channels }: Row<PictureShape>): Case {
  return {
    name: `upsample/${name}`,
    shape: `${side}^2 x ${channels} to ${2 * side}^2`,
    origin,
    bytes: 4 * 5 * side ** 2 * channels,
    open(gpu) {
      const data = random(side ** 2 * channels, 1);
      const x = tensor(gpu, data, [1, side, side, channels]);
      return { inputs: [x], run: () => upsampleNearest(x), samples };

      /** Some pixels, each a picture of its own that becomes 2 x 2. */
      function* samples(): Generator<Sample> {
        for (const pixel of picks(side ** 2, 16)) {
          const [row, column] = [Math.floor(pixel / side), pixel % side];
          const values = data.subarray(pixel * channels, (pixel + 1) * channels);
          for (const [i, expected] of layout.upsampleNearest(values, [1, 1, 1, channels]).entries()) {
            const [, dy, dx, c] = layout.indexOf(i, [1, 2, 2, channels]) as [number, number, number, number];
            yield { at: ((2 * row + dy) * 2 * side + 2 * column + dx) * channels + c, expected };
          }
        }
      }
    },
  };
}

export function resizeCase({ name, origin, side, result }: (typeof RESIZES)[number]): Case {
  return {
    name: `bicubic_resize/${name}`,
    shape: `${side}^2 x ${RGB} to ${result}^2`,
    origin,
    bytes: 4 * (side ** 2 + result ** 2) * RGB,
    open(gpu) {
      const shape = [1, side, side, RGB] as const;
      const data = random(side ** 2 * RGB, 1);
      const x = tensor(gpu, data, shape);
      return { inputs: [x], run: () => bicubicResize(x, { height: result, width: result }), samples };

      function* samples(): Generator<Sample> {
        for (const pixel of picks(result ** 2, 16)) {
          const window = { top: Math.floor(pixel / result), left: pixel % result, height: 1, width: 1 };
          const y = picture.bicubicResize(data, { shape, height: result, width: result, window });
          for (const [c, expected] of y.entries()) yield { at: pixel * RGB + c, expected };
        }
      }
    },
  };
}

export function blurCase({ name, origin, side, channels, dilation }: (typeof BLURS)[number]): Case {
  return {
    name: `atrous_blur/${name}`,
    shape: `${side}^2 x ${channels}, dilation ${dilation}`,
    origin,
    bytes: 4 * 2 * side ** 2 * channels,
    open(gpu) {
      const shape = [1, side, side, channels] as const;
      const data = random(side ** 2 * channels, 1);
      const x = tensor(gpu, data, shape);
      return { inputs: [x], run: () => atrousBlur(x, { dilation }), samples };

      function* samples(): Generator<Sample> {
        const y = picture.atrousBlur(data, { shape, dilation });
        for (const at of picks(y.length, 64)) yield { at, expected: y[at]! };
      }
    },
  };
}

import { featureDistance, l2Pool, maxPool, relu, type Tensor } from "@fluxsr/kernels";
import { relu as reluReference } from "../../tests/reference/activation.ts";
import * as layout from "../../tests/reference/layout.ts";
import * as perceptual from "../../tests/reference/perceptual.ts";
import type { Case, Row, Sample } from "../case.ts";
import { plainBackwardCase, plainCase } from "../plain.ts";
import { picks } from "../random.ts";
import { rowCases, rowGradientSamples } from "../rows.ts";
import type { PictureShape } from "../shapes/pictures.ts";

export function reluCases({ name, origin, side, channels }: Row<PictureShape>): Case[] {
  const [rows, size] = [side ** 2, side ** 2 * channels];
  return rowCases({
    op: "relu",
    ...{ name, origin },
    shape: `${side}^2 x ${channels}`,
    inputs: [[1, side, side, channels]],
    run: (x) => relu(x!),
    ...{ rows, widths: [channels] },
    reference: (x) => Array.from(x!, reluReference),
    ...{ result: [1, side, side, channels], wanted: 1 },
    elements: { forward: 2 * size, backward: 3 * size },
  });
}

export function maxPoolCases({ name, origin, side, channels }: Row<PictureShape>): Case[] {
  const half = Math.floor(side / 2);
  const size = side ** 2 * channels;
  const common = { origin, shape: `${side}^2 x ${channels} to ${half}^2`, run: (x?: Tensor) => maxPool(x!) };
  /** What element `at` of the pooled picture was chosen from: their places, row by row. */
  const windowOf = (at: number) => {
    const [, row, column, channel] = layout.indexOf(at, [1, half, half, channels]) as [number, number, number, number];
    return [0, 1, 2, 3].map((k) => ((2 * row + (k >> 1)) * side + 2 * column + (k & 1)) * channels + channel);
  };
  return [
    plainCase({
      ...common,
      name: `max_pool/${name}`,
      inputs: [[1, side, side, channels]],
      elements: size + half ** 2 * channels,
      *samples(x): Generator<Sample> {
        for (const at of picks(half ** 2 * channels, 64)) {
          yield { at, expected: Math.max(...windowOf(at).map((place) => x![place]!)) };
        }
      },
    }),
    plainBackwardCase({
      ...common,
      name: `max_pool_backward/${name}`,
      inputs: [[1, side, side, channels], [1, half, half, channels]],
      wanted: 1,
      elements: 2 * size + half ** 2 * channels,
      *samples(x, dy): Generator<Sample> {
        for (const pooled of picks(half ** 2 * channels, 64)) {
          const places = windowOf(pooled);
          const values = places.map((place) => x![place]!);
          const chosen = places[values.indexOf(Math.max(...values))];
          for (const at of places) yield { at, expected: at === chosen ? dy![pooled]! : 0 };
        }
      },
    }),
  ];
}

/** Instead of the largest, in DISTS. */
export function l2PoolCase({ name, origin, side, channels }: Row<PictureShape>): Case {
  const half = Math.ceil(side / 2);
  return plainCase({
    name: `l2_pool/${name}`,
    shape: `${side}^2 x ${channels} to ${half}^2`,
    origin,
    elements: (side ** 2 + half ** 2) * channels,
    inputs: [[1, side, side, channels]],
    run: (x) => l2Pool(x!),
    *samples(x): Generator<Sample> {
      for (const pixel of picks(half ** 2, 16)) {
        const [row, column] = [Math.floor(pixel / half), pixel % half];
        // Cut out with zeros where the picture ends; of the four results, the last is that of the pixel.
        const shape = [1, 4, 4, channels];
        const values = Array.from({ length: 16 * channels }, (_, i) => {
          const [, down = 0, right = 0, channel = 0] = layout.indexOf(i, shape);
          const [y, z] = [2 * row - 2 + down, 2 * column - 2 + right];
          return y < 0 || z < 0 || y >= side || z >= side ? 0 : x![(y * side + z) * channels + channel]!;
        });
        const pooled = perceptual.l2Pooled({ shape, values }).values;
        for (let c = 0; c < channels; c++) yield { at: pixel * channels + c, expected: pooled[3 * channels + c]! };
      }
    },
  });
}

/** At one tap of LPIPS; only the first of the two has a gradient. */
export function featureDistanceCases({ name, origin, side, channels }: Row<PictureShape>): Case[] {
  const shape = [1, side, side, channels];
  const size = side ** 2 * channels;
  const common = {
    origin,
    shape: `${side}^2 x ${channels}`,
    run: (f?: Tensor, g?: Tensor, weight?: Tensor) => featureDistance(f!, g!, { weight: weight! }),
  };
  const reference = (f: ArrayLike<number>, g: ArrayLike<number>, weight: ArrayLike<number>, of: readonly number[]) =>
    perceptual.featureDistance([f, g, weight], of);
  return [
    plainCase({
      ...common,
      name: `feature_distance/${name}`,
      inputs: [shape, shape, [channels]],
      elements: 2 * size,
      samples: (f, g, weight) => [{ at: 0, expected: reference(f!, g!, weight!, shape)[0]! }],
    }),
    plainBackwardCase({
      ...common,
      name: `feature_distance_backward/${name}`,
      inputs: [shape, shape, [channels], [1]],
      wanted: 1,
      elements: 3 * size,
      samples: (...values) =>
        rowGradientSamples(
          {
            rows: side ** 2,
            widths: [channels, channels, channels],
            shared: [2],
            reference: (f, g, weight) => [reference(f!, g!, weight!, [1, 1, 1, channels])[0]! / side ** 2],
          },
          values,
          1,
        ),
    }),
  ];
}

import { columnSum, groupNormStats, maxAbs, mean, meanStd, sum, type Tensor } from "@fluxsr/kernels";
import * as norm from "../../tests/reference/norm.ts";
import type { Case, Row, Sample } from "../case.ts";
import { plainBackwardCase, plainCase } from "../plain.ts";
import { picks } from "../random.ts";
import type { GroupNormShape, PictureShape } from "../shapes/pictures.ts";
import type { TokensShape } from "../shapes/tokens.ts";

/** Sums over all rows, and sums, means and the largest magnitude of all. */
export function sumCases({ name, origin, tokens, width }: Row<TokensShape>): Case[] {
  const size = tokens * width;
  const common = { origin, shape: `${tokens} x ${width}`, elements: size, inputs: [[tokens, width]] };
  return [
    plainCase({
      ...common,
      name: `column_sum/${name}`,
      run: (x) => columnSum(x!),
      samples: (x) =>
        picks(width, 16).map((at) => {
          let expected = 0;
          for (let row = 0; row < tokens; row++) expected += x![row * width + at]!;
          return { at, expected };
        }),
    }),
    plainCase({
      ...common,
      name: `max_abs/${name}`,
      run: (x) => maxAbs(x!),
      samples: (x) => [{ at: 0, expected: x!.reduce((most, each) => Math.max(most, Math.abs(each)), 0) }],
    }),
    ...[{ op: "sum", run: sum, count: 1 }, { op: "mean", run: mean, count: size }].flatMap(({ op, run, count }) => [
      plainCase({
        ...common,
        name: `${op}/${name}`,
        run: (x) => run(x!),
        samples: (x) => [{ at: 0, expected: x!.reduce((total, each) => total + each, 0) / count }],
      }),
      plainBackwardCase({
        ...common,
        name: `${op}_backward/${name}`,
        inputs: [[tokens, width], [1]],
        wanted: 1,
        run: (x: Tensor) => run(x),
        samples: (_, dy) => picks(size, 64).map((at) => ({ at, expected: dy![0]! / count })),
      }),
    ]),
  ];
}

export function groupNormStatsCase({ name, origin, side, channels, groups }: Row<GroupNormShape>): Case {
  return plainCase({
    name: `group_norm_stats/${name}`,
    shape: `${side}^2 x ${channels}, ${groups} groups`,
    origin,
    elements: side ** 2 * channels,
    inputs: [[1, side, side, channels]],
    run: (x) => groupNormStats(x!, { groups }),
    *samples(x): Generator<Sample> {
      const moments = norm.groupMoments(x!, { batches: 1, pixels: side ** 2, channels, groups });
      for (const [group, { mean, squares, count }] of moments.entries()) {
        yield { at: group, expected: mean };
        yield { at: groups + group, expected: squares / count };
      }
    },
  });
}

/** Of each channel of a picture, as a colour fix needs them. */
export function meanStdCase({ name, origin, side, channels }: Row<PictureShape>): Case {
  return plainCase({
    name: `mean_std/${name}`,
    shape: `${side}^2 x ${channels}`,
    origin,
    elements: side ** 2 * channels,
    inputs: [[1, side, side, channels]],
    run: (x) => meanStd(x!),
    *samples(x): Generator<Sample> {
      const moments = norm.groupMoments(x!, { batches: 1, pixels: side ** 2, channels, groups: channels });
      for (const [channel, { mean, squares, count }] of moments.entries()) {
        yield { at: channel, expected: mean };
        yield { at: channels + channel, expected: Math.sqrt(squares / (count - 1)) };
      }
    },
  });
}

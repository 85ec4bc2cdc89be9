import {
  add,
  affine,
  clamp,
  columnSum,
  concat,
  groupNormStats,
  multiply,
  normalNoise,
  permute,
  split,
  sum,
  type Tensor,
} from "@fluxsr/kernels";
import * as layout from "../../tests/reference/layout.ts";
import * as noise from "../../tests/reference/noise.ts";
import * as norm from "../../tests/reference/norm.ts";
import type { Case, Row, Sample } from "../case.ts";
import { plainCase } from "../plain.ts";
import { picks } from "../random.ts";
import type { GroupNormShape } from "../shapes/pictures.ts";
import type { TokensShape } from "../shapes/tokens.ts";

/** Ops that compute each element by itself, from x or from x and y of the same shape. */
const ELEMENTWISE = [
  { op: "add", inputs: 2, run: (x?: Tensor, y?: Tensor) => add(x!, y!), reference: (x: number, y: number) => x + y },
  {
    op: "multiply",
    inputs: 2,
    run: (x?: Tensor, y?: Tensor) => multiply(x!, y!),
    reference: (x: number, y: number) => x * y,
  },
  {
    op: "affine",
    inputs: 1,
    run: (x?: Tensor) => affine(x!, { scale: 3, offset: 2 }),
    reference: (x: number) => 3 * x + 2,
  },
  {
    op: "clamp",
    inputs: 1,
    run: (x?: Tensor) => clamp(x!, -0.25, 0.5),
    reference: (x: number) => Math.min(0.5, Math.max(-0.25, x)),
  },
];

export function elementwiseCases({ name, origin, tokens, width }: Row<TokensShape>): Case[] {
  const size = tokens * width;
  return ELEMENTWISE.map(({ op, inputs, run, reference }) =>
    plainCase({
      name: `${op}/${name}`,
      shape: `${tokens} x ${width}`,
      origin,
      elements: (inputs + 1) * size,
      inputs: Array.from({ length: inputs }, () => [tokens, width]),
      run,
      samples: (x, y = x) => picks(size, 64).map((at) => ({ at, expected: reference(x![at]!, y![at]!) })),
    })
  );
}

/** Moves without arithmetic: what a single block joins and takes apart, and heads before tokens. */
export function copyCases({ name, origin, tokens, width, heads }: Row<TokensShape>): Case[] {
  const parts = [width, 4 * width];
  const whole = 5 * width;
  const elements = 2 * tokens * whole;
  const places = picks(tokens * whole, 64);
  /** The part, and the place in it, of element `at` of the whole. */
  const partOf = (at: number) => {
    const [row, column] = [Math.floor(at / whole), at % whole];
    const part = column < width ? 0 : 1;
    return { part, place: row * parts[part]! + column - part * width };
  };
  const sizes = [1, tokens, heads, width / heads];
  const axes = [0, 2, 1, 3];
  return [
    plainCase({
      name: `concat/${name}`,
      shape: `${tokens} x (${parts.join(" + ")})`,
      ...{ origin, elements },
      inputs: parts.map((part) => [tokens, part]),
      run: (...tensors) => concat(tensors, 1),
      samples: (...values) =>
        places.map((at) => {
          const { part, place } = partOf(at);
          return { at, expected: values[part]![place]! };
        }),
    }),
    plainCase({
      name: `split/${name}`,
      shape: `${tokens} x (${parts.join(" + ")})`,
      ...{ origin, elements },
      inputs: [[tokens, whole]],
      run: (x) => split(x!, 1, parts),
      samples: (x) =>
        places.map((from) => {
          const { part: result, place: at } = partOf(from);
          return { result, at, expected: x![from]! };
        }),
    }),
    plainCase({
      name: `permute/${name}`,
      shape: `${tokens} x ${heads} x ${width / heads}`,
      origin,
      elements: 2 * tokens * width,
      inputs: [sizes],
      run: (x) => permute(x!, axes),
      samples: (x) =>
        picks(tokens * width, 64).map((from) => {
          const index = layout.indexOf(from, sizes);
          const permuted = axes.map((axis) => sizes[axis]!);
          return { at: layout.elementAt(axes.map((axis) => index[axis]!), permuted), expected: x![from]! };
        }),
    }),
  ];
}

/** Sums over all rows, and over all. */
export function sumCases({ name, origin, tokens, width }: Row<TokensShape>): Case[] {
  const common = { origin, shape: `${tokens} x ${width}`, elements: tokens * width, inputs: [[tokens, width]] };
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
      name: `sum/${name}`,
      run: (x) => sum(x!),
      samples: (x) => [{ at: 0, expected: x!.reduce((total, each) => total + each, 0) }],
    }),
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

export function noiseCase({ name, origin, tokens, width }: Row<TokensShape>): Case {
  return {
    name: `normal_noise/${name}`,
    shape: `${tokens} x ${width}`,
    origin,
    bytes: 4 * tokens * width,
    open: (gpu) => ({
      inputs: [],
      run: () => normalNoise(gpu, [tokens, width], { seed: 7 }),
      samples: () => picks(tokens * width, 64).map((at) => ({ at, expected: noise.normal(at, 7) })),
    }),
  };
}

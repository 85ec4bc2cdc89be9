import { concat, permute, split, type Tensor } from "@fluxsr/kernels";
import * as layout from "../../tests/reference/layout.ts";
import { type Case, ofResults, type Row, type Sample } from "../case.ts";
import { plainBackwardCase, plainCase } from "../plain.ts";
import { picks } from "../random.ts";
import type { TokensShape } from "../shapes/tokens.ts";

/**
 * Moves without arithmetic, what a single block joins and takes apart: `[tokens, width], [tokens, 4 width]` and
 * `[tokens, 5 width]`. What the one does forward the other does backward.
 */
export function concatCases({ name, origin, tokens, width }: Row<TokensShape>): Case[] {
  const parts = [width, 4 * width];
  const whole = [tokens, 5 * width];
  const pieces = parts.map((part) => [tokens, part]);
  const common = {
    shape: `${tokens} x (${parts.join(" + ")})`,
    origin,
    elements: 2 * tokens * 5 * width,
  };
  /** Some places in the whole, each with its part and the place in that. */
  const places = picks(tokens * 5 * width, 64).map((at) => {
    const [row, column] = [Math.floor(at / (5 * width)), at % (5 * width)];
    const part = column < width ? 0 : 1;
    return { at, part, place: row * parts[part]! + column - part * width };
  });
  const joined = (values: readonly Float32Array[]): Sample[] =>
    places.map(({ at, part, place }) => ({ at, expected: values[part]![place]! }));
  const taken = (values: Float32Array) =>
    ofResults(
      [0, 1].map((result) =>
        places.filter(({ part }) => part === result).map(({ at, place }) => ({ at: place, expected: values[at]! }))
      ),
    );
  const join = (x?: Tensor, y?: Tensor) => concat([x!, y!], 1);
  const take = (x?: Tensor) => split(x!, 1, parts);
  return [
    plainCase({ ...common, name: `concat/${name}`, inputs: pieces, run: join, samples: (...values) => joined(values) }),
    plainBackwardCase({
      ...common,
      name: `concat_backward/${name}`,
      inputs: [...pieces, whole],
      wanted: 2,
      run: join,
      samples: (_x, _y, dy) => taken(dy!),
    }),
    plainCase({ ...common, name: `split/${name}`, inputs: [whole], run: take, samples: (x) => taken(x!) }),
    plainBackwardCase({
      ...common,
      name: `split_backward/${name}`,
      inputs: [whole, ...pieces],
      wanted: 1,
      results: 2,
      run: take,
      samples: (_, ...dys) => joined(dys),
    }),
  ];
}

/** Heads before tokens, and back: `[1, tokens, heads, size] -> [1, heads, tokens, size]`. */
export function permuteCases({ name, origin, tokens, width, heads }: Row<TokensShape>): Case[] {
  const axes = [0, 2, 1, 3];
  const sizes = [1, tokens, heads, width / heads];
  const permuted = axes.map((axis) => sizes[axis]!);
  const common = {
    shape: `${tokens} x ${heads} x ${width / heads}`,
    origin,
    elements: 2 * tokens * width,
    run: (x?: Tensor) => permute(x!, axes),
  };
  /** Some places before, and where they go. */
  const places = picks(tokens * width, 64).map((from) => {
    const index = layout.indexOf(from, sizes);
    return { from, to: layout.elementAt(axes.map((axis) => index[axis]!), permuted) };
  });
  return [
    plainCase({
      ...common,
      name: `permute/${name}`,
      inputs: [sizes],
      samples: (x) => places.map(({ from, to }) => ({ at: to, expected: x![from]! })),
    }),
    plainBackwardCase({
      ...common,
      name: `permute_backward/${name}`,
      inputs: [sizes, permuted],
      wanted: 1,
      samples: (_, dy) => places.map(({ from, to }) => ({ at: from, expected: dy![to]! })),
    }),
  ];
}

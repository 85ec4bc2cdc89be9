import { absolute, add, affine, clamp, combine, exp, multiply, type Tensor } from "@fluxsr/kernels";
import type { Case, Row } from "../case.ts";
import { rowCases } from "../rows.ts";
import type { TokensShape } from "../shapes/tokens.ts";

/**
 * Ops that compute each element by itself, from x or from x and y of the same shape. What a backward pass must read and
 * write, per element of x; none if the gradients are that of the result, and cost nothing.
 */
const ELEMENTWISE = [
  {
    op: "add",
    inputs: 2,
    backward: 0,
    run: (x?: Tensor, y?: Tensor) => add(x!, y!),
    reference: (x: number, y: number) => x + y,
  },
  {
    op: "combine",
    inputs: 2,
    backward: 3,
    run: (x?: Tensor, y?: Tensor) => combine(x!, y!, { alpha: 0.75, beta: -0.5 }),
    reference: (x: number, y: number) => 0.75 * x - 0.5 * y,
  },
  {
    op: "multiply",
    inputs: 2,
    backward: 5,
    run: (x?: Tensor, y?: Tensor) => multiply(x!, y!),
    reference: (x: number, y: number) => x * y,
  },
  {
    op: "affine",
    inputs: 1,
    backward: 2,
    run: (x?: Tensor) => affine(x!, { scale: 3, offset: 2 }),
    reference: (x: number) => 3 * x + 2,
  },
  {
    op: "clamp",
    inputs: 1,
    backward: 3,
    run: (x?: Tensor) => clamp(x!, -0.25, 0.5),
    reference: (x: number) => Math.min(0.5, Math.max(-0.25, x)),
  },
  {
    op: "exp",
    inputs: 1,
    backward: 3,
    run: (x?: Tensor) => exp(x!, 0.5),
    reference: (x: number) => Math.exp(0.5 * x),
  },
  {
    op: "absolute",
    inputs: 1,
    backward: 3,
    run: (x?: Tensor) => absolute(x!),
    reference: (x: number) => Math.abs(x),
  },
];

export function elementwiseCases({ name, origin, tokens, width }: Row<TokensShape>): Case[] {
  const size = tokens * width;
  return ELEMENTWISE.flatMap(({ op, inputs, backward, run, reference }) => {
    const cases = rowCases({
      ...{ op, name, origin, run },
      shape: `${tokens} x ${width}`,
      inputs: Array.from({ length: inputs }, () => [tokens, width]),
      ...{ rows: tokens, widths: Array.from({ length: inputs }, () => width) },
      reference: (x, y = x) => Array.from(x!, (value, i) => reference(value, y![i]!)),
      ...{ result: [tokens, width], wanted: inputs },
      elements: { forward: (inputs + 1) * size, backward: backward * size },
    });
    return backward === 0 ? cases.slice(0, 1) : cases;
  });
}

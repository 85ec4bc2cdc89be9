import {
  cosineToMean,
  gateResidual,
  gelu,
  layerNorm,
  rmsNorm,
  rmsNormRope,
  rope,
  silu,
  type Tensor,
} from "@fluxsr/kernels";
import * as activation from "../../tests/reference/activation.ts";
import { slope } from "../../tests/reference/central_differences.ts";
import { cosineToMean as cosineReference } from "../../tests/reference/cosine_to_mean.ts";
import * as norm from "../../tests/reference/norm.ts";
import { rope as ropeReference } from "../../tests/reference/rope.ts";
import type { Case, Row, Sample } from "../case.ts";
import { plainBackwardCase, plainCase } from "../plain.ts";
import { picks } from "../random.ts";
import { rowCases, type Rows, rowSamples } from "../rows.ts";
import type { HiddenShape, TokensShape } from "../shapes/tokens.ts";

export function layerNormCases({ name, origin, tokens, width }: Row<TokensShape>): Case[] {
  return rowCases({
    op: "layer_norm",
    ...{ name, origin },
    shape: `${tokens} x ${width}, modulated`,
    inputs: [[1, tokens, width], [1, width], [1, width]],
    run: (x, shift, scale) => layerNorm(x!, { shift: shift!, scale: scale! }),
    ...{ rows: tokens, widths: [width, width, width], shared: [1, 2] },
    reference: (x, shift, scale) => norm.layerNorm(x!, { shape: [1, 1, width], shift: shift!, scale: scale! }),
    ...{ result: [1, tokens, width], wanted: 3 },
    elements: { forward: (2 * tokens + 2) * width, backward: (3 * tokens + 3) * width },
  });
}

export function rmsNormCases({ name, origin, tokens, width, heads }: Row<TokensShape>): Case[] {
  const size = width / heads;
  return rowCases({
    op: "rms_norm",
    ...{ name, origin },
    shape: `${tokens} x ${heads} x ${size}`,
    inputs: [[1, tokens, heads, size], [size]],
    run: (x, scale) => rmsNorm(x!, { scale: scale! }),
    ...{ rows: tokens * heads, widths: [size, size], shared: [1] },
    reference: (x, scale) => norm.rmsNorm(x!, { scale: scale! }),
    ...{ result: [1, tokens, heads, size], wanted: 2 },
    elements: { forward: 2 * tokens * width + size, backward: 3 * tokens * width + 2 * size },
  });
}

/** The tables need not hold cosines and sines of the same angles. */
export function ropeCases({ name, origin, tokens, width, heads }: Row<TokensShape>): Case[] {
  const size = width / heads;
  const half = size / 2;
  const elements = 2 * tokens * width + 2 * tokens * half;
  return rowCases({
    op: "rope",
    ...{ name, origin },
    shape: `${tokens} x ${heads} x ${size}`,
    inputs: [[1, tokens, heads, size], [1, tokens, half], [1, tokens, half]],
    run: (x, cos, sin) => rope(x!, { cos: cos!, sin: sin! }),
    ...{ rows: tokens, widths: [width, half, half] },
    reference: (x, cos, sin) => ropeReference(x!, { shape: [1, 1, heads, size], cos: cos!, sin: sin! }),
    ...{ result: [1, tokens, heads, size], wanted: 1 },
    elements: { forward: elements, backward: elements },
  });
}

/** Both at once, as inference does it; a tape has them apart. */
export function rmsNormRopeCase({ name, origin, tokens, width, heads }: Row<TokensShape>): Case {
  const size = width / heads;
  const half = size / 2;
  const op: Rows = {
    ...{ rows: tokens, widths: [width, size, half, half], shared: [1] },
    reference: (x, scale, cos, sin) =>
      ropeReference(norm.rmsNorm(x!, { scale: scale! }), { shape: [1, 1, heads, size], cos: cos!, sin: sin! }),
  };
  return plainCase({
    name: `rms_norm_rope/${name}`,
    shape: `${tokens} x ${heads} x ${size}`,
    origin,
    elements: 2 * tokens * width + 2 * tokens * half + size,
    inputs: [[1, tokens, heads, size], [size], [1, tokens, half], [1, tokens, half]],
    run: (x, scale, cos, sin) => rmsNormRope(x!, { scale: scale!, cos: cos!, sin: sin! }),
    samples: (...values) => rowSamples(op, values),
  });
}

/** The gradient of what the gated is added to is that of the result, and costs nothing. */
export function gateCases({ name, origin, tokens, width }: Row<TokensShape>): Case[] {
  return rowCases({
    op: "gate_residual",
    ...{ name, origin },
    shape: `${tokens} x ${width}`,
    inputs: [[1, tokens, width], [1, width], [1, tokens, width]],
    run: (y, gate, x) => gateResidual(x!, y!, { gate: gate! }),
    ...{ rows: tokens, widths: [width, width, width], shared: [1] },
    reference: (y, gate, x) => Array.from({ length: width }, (_, i) => x![i]! + gate![i]! * y![i]!),
    ...{ result: [1, tokens, width], wanted: 2 },
    elements: { forward: (3 * tokens + 1) * width, backward: (3 * tokens + 2) * width },
  });
}

export function geluCases(row: Row<HiddenShape>): Case[] {
  return activationCases(row, { op: "gelu", activate: gelu, reference: activation.gelu });
}

export function siluCases(row: Row<HiddenShape>): Case[] {
  return activationCases(row, { op: "silu", activate: silu, reference: activation.silu });
}

function activationCases({ name, origin, tokens, hidden }: Row<HiddenShape>, { op, activate, reference }: {
  readonly op: string;
  readonly activate: (x: Tensor) => Tensor;
  readonly reference: (x: number) => number;
}): Case[] {
  return rowCases({
    op,
    ...{ name, origin },
    shape: `${tokens} x ${hidden}`,
    inputs: [[tokens, hidden]],
    run: (x) => activate(x!),
    ...{ rows: tokens, widths: [hidden] },
    reference: (x) => Array.from(x!, reference),
    ...{ result: [tokens, hidden], wanted: 1 },
    elements: { forward: 2 * tokens * hidden, backward: 3 * tokens * hidden },
  });
}

/** Of the alignment loss: every token is read twice, as there is no mean before all were seen. */
export function cosineCases({ name, origin, tokens, width }: Row<TokensShape>): Case[] {
  const shape = [1, tokens, width];
  const common = { origin, shape: `${tokens} x ${width}`, run: (x?: Tensor) => cosineToMean(x!) };
  return [
    plainCase({
      ...common,
      name: `cosine_to_mean/${name}`,
      inputs: [shape],
      elements: 2 * tokens * width + tokens,
      samples: (x) => cosineReference(x!, shape).map((expected, at) => ({ at, expected })),
    }),
    plainBackwardCase({
      ...common,
      name: `cosine_to_mean_backward/${name}`,
      inputs: [shape, [1, tokens]],
      wanted: 1,
      elements: 3 * tokens * width + tokens,
      *samples(x, dy): Generator<Sample> {
        for (const at of picks(tokens * width, 4)) {
          const expected = slope((distance) => {
            const moved = Float64Array.from(x!);
            moved[at]! += distance;
            return cosineReference(moved, shape).reduce((sum, cosine, i) => sum + cosine * dy![i]!, 0);
          });
          yield { at, expected };
        }
      },
    }),
  ];
}

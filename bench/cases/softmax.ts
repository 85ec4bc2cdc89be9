import { softmax, tensor } from "@fluxsr/kernels";
import { softmax as reference } from "../../tests/reference/softmax.ts";
import type { Case, Row, Sample } from "../case.ts";
import { plainCase } from "../plain.ts";
import { picks, random } from "../random.ts";
import { rowCases } from "../rows.ts";
import type { ScoresShape } from "../shapes/tokens.ts";

/** With a bias for each score, and the backward pass. */
export function softmaxCases({ name, origin, tokens, heads }: Row<ScoresShape>): Case[] {
  const shape = [heads, tokens, tokens];
  const elements = heads * tokens * tokens;
  return rowCases({
    op: "softmax",
    ...{ name, origin },
    shape: `${heads} x ${tokens} x ${tokens}, with bias`,
    inputs: [[1, ...shape], shape],
    run: (x, bias) => softmax(x!, { bias: bias! }),
    ...{ rows: heads * tokens, widths: [tokens, tokens] },
    reference: (x, bias) => reference(x!, { bias: bias!, width: tokens }),
    ...{ result: [1, ...shape], wanted: 1 },
    elements: { forward: 3 * elements, backward: 3 * elements },
  });
}

/** With an addend by distance, as T5 has it, whose gradient there is not. */
export function distanceSoftmaxCase({ name, origin, tokens, heads }: Row<ScoresShape>): Case {
  return plainCase({
    name: `softmax_by_distance/${name}`,
    shape: `${heads} x ${tokens} x ${tokens}`,
    origin,
    elements: 2 * heads * tokens ** 2 + heads * (2 * tokens - 1),
    inputs: [[1, heads, tokens, tokens], [heads, 2 * tokens - 1]],
    run: (x, distances) => softmax(x!, { distances: distances! }),
    samples: (x, distances) => scoreSamples(x!, { tokens, heads }, (row) => distanceRow(distances!, row, tokens)),
  });
}

/** With the mask of CLIP, which all heads share. */
export function maskedSoftmaxCase({ name, origin, tokens, heads }: Row<ScoresShape>): Case {
  return {
    name: `softmax_masked/${name}`,
    shape: `${heads} x ${tokens} x ${tokens}`,
    origin,
    bytes: 4 * (2 * heads + 1) * tokens ** 2,
    open(gpu) {
      const [scores, causal] = [random(heads * tokens ** 2, 1), causalMask(tokens)];
      const x = tensor(gpu, scores, [1, heads, tokens, tokens]);
      const bias = tensor(gpu, causal, [tokens, tokens]);
      return {
        inputs: [x, bias],
        run: () => softmax(x, { bias }),
        samples: () =>
          scoreSamples(scores, { tokens, heads }, (row) => {
            const start = row % tokens * tokens;
            return causal.subarray(start, start + tokens);
          }),
      };
    },
  };
}

/** All of some rows of the softmax of scores, to which `addend(row)` is added. */
function* scoreSamples(
  scores: Float32Array,
  { tokens, heads }: Pick<ScoresShape, "tokens" | "heads">,
  addend: (row: number) => Float32Array,
): Generator<Sample> {
  for (const row of picks(heads * tokens, 16)) {
    const start = row * tokens;
    const y = reference(scores.subarray(start, start + tokens), { bias: addend(row), width: tokens });
    for (const [i, expected] of y.entries()) yield { at: start + i, expected };
  }
}

/** What is added to a row of scores: of `distances [heads, 2 tokens - 1]` those of a query, from the first key on. */
export function distanceRow(distances: Float32Array, row: number, tokens: number): Float32Array {
  const start = Math.floor(row / tokens) * (2 * tokens - 1) + tokens - 1 - row % tokens;
  return distances.subarray(start, start + tokens);
}

/** `[tokens, tokens]`: no token sees a later one. */
export function causalMask(tokens: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: tokens ** 2 }, (_, i) => i % tokens > Math.floor(i / tokens) ? -1e30 : 0);
}

import { type ScoreAddend, type Tensor, tensor } from "@fluxsr/kernels";
import { biasedAttention } from "../../packages/core/text/biased_attention.ts";
import { softmax } from "../../tests/reference/softmax.ts";
import type { Case, Row, Sample } from "../case.ts";
import { picks, random } from "../random.ts";
import type { ScoresShape } from "../shapes/tokens.ts";
import { causalMask, distanceRow } from "./softmax.ts";

/** Attention of T5, with an addend by distance: two products with softmax between, whose scores are in memory. */
export function distanceAttentionCase(row: Row<ScoresShape>): Case {
  const { tokens, heads } = row;
  const distances = () => random(heads * (2 * tokens - 1), 4);
  return textAttentionCase(row, {
    values: distances,
    shape: [heads, 2 * tokens - 1],
    addend: (distances) => ({ distances }),
    row: (values, row) => distanceRow(values, row, tokens),
  });
}

/** Attention of CLIP, with a mask for all heads. */
export function maskedAttentionCase(row: Row<ScoresShape>): Case {
  const { tokens } = row;
  return textAttentionCase(row, {
    values: () => causalMask(tokens),
    shape: [tokens, tokens],
    addend: (bias) => ({ bias }),
    row: (values, row) => values.subarray(row % tokens * tokens, (row % tokens + 1) * tokens),
  });
}

/** What is added to the scores: its values, as an addend, and of it what row `row` of all heads' scores gets. */
interface Addend {
  readonly values: () => Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
  readonly addend: (tensor: Tensor) => ScoreAddend;
  readonly row: (values: Float32Array, row: number) => Float32Array;
}

function textAttentionCase({ name, origin, tokens, heads, width }: Row<ScoresShape>, added: Addend): Case {
  const size = tokens * heads * width;
  const scale = 1 / Math.sqrt(width);
  return {
    name: `text_attention/${name}`,
    shape: `${tokens} tokens ${heads} x ${width}`,
    origin,
    flops: 4 * tokens ** 2 * heads * width,
    // Scores are written and read twice.
    bytes: 4 * (4 * size + 4 * heads * tokens ** 2),
    open(gpu) {
      const [q, k, v] = [random(size, 1), random(size, 2), random(size, 3)];
      const addend = added.values();
      const tensors = [q, k, v].map((values) => tensor(gpu, values, [1, tokens, heads * width]));
      const extra = tensor(gpu, addend, added.shape);
      const [first, second, third] = tensors;
      return {
        inputs: [...tensors, extra],
        run: () => biasedAttention([first!, second!, third!], { heads, scale, addend: added.addend(extra) }),
        *samples(): Generator<Sample> {
          for (const row of picks(heads * tokens, 8)) {
            const [head, query] = [Math.floor(row / tokens), row % tokens];
            const start = (token: number) => (token * heads + head) * width;
            const scores = Array.from({ length: tokens }, (_, key) => {
              let dot = 0;
              for (let c = 0; c < width; c++) dot += q[start(query) + c]! * k[start(key) + c]!;
              return scale * dot;
            });
            const weights = softmax(scores, { bias: added.row(addend, row), width: tokens });
            for (let c = 0; c < width; c++) {
              const expected = weights.reduce((sum, weight, key) => sum + weight * v[start(key) + c]!, 0);
              yield { at: start(query) + c, expected };
            }
          }
        },
      };
    },
  };
}

import { softmax } from "@fluxsr/kernels";
import { softmax as reference } from "../../tests/reference/softmax.ts";
import type { Case, Row } from "../case.ts";
import { rowCases } from "../rows.ts";
import type { ScoresShape } from "../shapes/tokens.ts";

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

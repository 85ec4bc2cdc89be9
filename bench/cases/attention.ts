import { attention, type Gpu, tensor } from "@fluxsr/kernels";
import { attentionReference } from "../../tests/reference/attention.ts";
import type { Case, Row, Sample, Work } from "../case.ts";
import { picks, random } from "../random.ts";
import type { AttentionShape } from "../shapes.ts";

export function attentionCase(row: Row<AttentionShape>): Case {
  const { name, origin, tokens, heads, width } = row;
  return {
    name: `attention/${name}`,
    shape: `${tokens} tokens ${heads} x ${width}`,
    origin,
    flops: 4 * tokens ** 2 * heads * width,
    bytes: 4 * 4 * tokens * heads * width,
    open: (gpu) => open(gpu, row),
  };
}

function open(gpu: Gpu, { tokens, heads, width }: AttentionShape): Work {
  const shape = [1, tokens, heads, width];
  const values = (seed: number) => random(tokens * heads * width, seed);
  const data = { q: values(1), k: values(2), v: values(3) };
  const [q, k, v] = [tensor(gpu, data.q, shape), tensor(gpu, data.k, shape), tensor(gpu, data.v, shape)];
  return { inputs: [q, k, v], run: () => attention(q, k, v), samples };

  /** Some queries over all keys. */
  function* samples(): Generator<Sample> {
    const row = heads * width;
    for (const token of picks(tokens, 4)) {
      const query = data.q.subarray(token * row, (token + 1) * row);
      const sizes = { batches: 1, queries: 1, keys: tokens, heads, width };
      const out = attentionReference({ ...data, q: query }, sizes);
      for (const [channel, expected] of out.entries()) yield { at: token * row + channel, expected };
    }
  }
}

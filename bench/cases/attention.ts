import { attention, type Gpu, tensor } from "@fluxsr/kernels";
import { attentionReference } from "../../tests/reference/attention.ts";
import type { Case, Row, Sample, Work } from "../case.ts";
import { picks } from "../random.ts";
import type { AttentionShape } from "../shapes/attention.ts";
import { type AttentionData, attentionData } from "./attention_backward.ts";

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

function open(gpu: Gpu, shape: AttentionShape): Work {
  const data = attentionData(shape);
  const upload = (values: Float32Array<ArrayBuffer>) =>
    tensor(gpu, values, [1, shape.tokens, shape.heads, shape.width]);
  const [q, k, v] = [upload(data.q), upload(data.k), upload(data.v)];
  return { inputs: [q, k, v], run: () => attention(q, k, v), samples: () => attentionSamples(data) };
}

/** Some queries over all keys. */
export function* attentionSamples({ tokens, heads, width, q, k, v }: AttentionData): Generator<Sample> {
  const row = heads * width;
  for (const token of picks(tokens, 4)) {
    const query = q.subarray(token * row, (token + 1) * row);
    const sizes = { batches: 1, queries: 1, keys: tokens, heads, width };
    const out = attentionReference({ q: query, k, v }, sizes);
    for (const [channel, expected] of out.entries()) yield { at: token * row + channel, expected };
  }
}

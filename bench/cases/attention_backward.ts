import { attention, type Gpu, tensor } from "@fluxsr/kernels";
import { backwardWork } from "../backward_work.ts";
import { type Case, ofResults, type Row, type Sample, type Work } from "../case.ts";
import { picks, random } from "../random.ts";
import type { AttentionShape } from "../shapes/attention.ts";

/** Attention and the gradient of its result, all [tokens, heads, width]. */
export interface AttentionData extends AttentionShape {
  readonly q: Float32Array<ArrayBuffer>;
  readonly k: Float32Array<ArrayBuffer>;
  readonly v: Float32Array<ArrayBuffer>;
  readonly dy: Float32Array<ArrayBuffer>;
}

export function attentionData({ tokens, heads, width }: AttentionShape): AttentionData {
  const values = (seed: number) => random(tokens * heads * width, seed);
  return { tokens, heads, width, q: values(1), k: values(2), v: values(3), dy: values(4) };
}

/**
 * The gradients of q, k and v at some tokens of the last head. With `P = softmax(s q k^T)`, `dP = dy v^T` and
 * `dS = P (dP - sum_j P dP)`: `dq = s dS k`, `dk = s dS^T q`, `dv = P^T dy`.
 */
export function attentionGradientSamples({ tokens, heads, width, q, k, v, dy }: AttentionData): Generator<Sample> {
  const scale = 1 / Math.sqrt(width);
  const start = (token: number) => (token * heads + heads - 1) * width;
  const dot = (a: Float32Array, i: number, b: Float32Array, j: number) => {
    const [from, to] = [start(i), start(j)];
    let sum = 0;
    for (let c = 0; c < width; c++) sum += a[from + c]! * b[to + c]!;
    return sum;
  };
  const sampled = picks(tokens, 4);
  const [dq, dk, dv] = [0, 1, 2].map(() => new Map(sampled.map((token) => [token, new Float64Array(width)])));
  const add = (sums: Float64Array, factor: number, values: Float32Array, token: number) => {
    for (let c = 0; c < width; c++) sums[c]! += factor * values[start(token) + c]!;
  };
  const [p, dp] = [new Float64Array(tokens), new Float64Array(tokens)];
  for (let i = 0; i < tokens; i++) {
    for (let j = 0; j < tokens; j++) {
      p[j] = Math.exp(scale * dot(q, i, k, j)); // scores are small: nothing overflows
      dp[j] = dot(dy, i, v, j);
    }
    const total = p.reduce((sum, each) => sum + each, 0);
    const mean = p.reduce((sum, each, j) => sum + each * dp[j]!, 0) / total;
    const ds = (j: number) => scale * p[j]! / total * (dp[j]! - mean);
    const own = dq!.get(i);
    if (own) { for (let j = 0; j < tokens; j++) add(own, ds(j), k, j); }
    for (const j of sampled) {
      add(dk!.get(j)!, ds(j), q, i);
      add(dv!.get(j)!, p[j]! / total, dy, i);
    }
  }
  const samples = (sums: Map<number, Float64Array>) =>
    [...sums].flatMap(([token, values]) => Array.from(values, (expected, c) => ({ at: start(token) + c, expected })));
  return ofResults([samples(dq!), samples(dk!), samples(dv!)]);
}

/** The backward pass of attention: of q, k and v at once. */
export function attentionBackwardCase(row: Row<AttentionShape>): Case {
  const { name, origin, tokens, heads, width } = row;
  return {
    name: `attention_backward/${name}`,
    shape: `${tokens} tokens ${heads} x ${width}`,
    origin,
    // Five products: the scores again, and those of dP, dq, dk and dv.
    flops: 10 * tokens ** 2 * heads * width,
    bytes: 4 * 8 * tokens * heads * width,
    open: (gpu) => open(gpu, row),
  };
}

function open(gpu: Gpu, shape: AttentionShape): Work {
  const { tokens, heads, width } = shape;
  const data = attentionData(shape);
  const upload = (values: Float32Array<ArrayBuffer>) => tensor(gpu, values, [1, tokens, heads, width]);
  const [q, k, v] = [upload(data.q), upload(data.k), upload(data.v)];
  return {
    ...backwardWork({ wanted: [q, k, v], dys: [upload(data.dy)] }, () => attention(q, k, v)),
    samples: () => attentionGradientSamples(data),
  };
}

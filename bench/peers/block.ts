import { attentionReference } from "../../tests/reference/attention.ts";
import { slope } from "../../tests/reference/central_differences.ts";
import { gelu } from "../../tests/reference/activation.ts";
import { matmulReference } from "../../tests/reference/matmul.ts";
import { layerNorm } from "../../tests/reference/norm.ts";
import { ofResults, type Sample } from "../case.ts";
import { picks, random } from "../random.ts";

/** Sizes of a transformer block without text and modulation. */
export interface BlockShape {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
}

/**
 * `h = x + attention(LN(x) qkv^T) proj^T`, `y = h + gelu(LN(h) up^T) down^T`, layer norms without weights:
 * `x, dy [tokens, width], qkv [3 width, width], proj [width, width], up [4 width, width], down [width, 4 width]`. Columns
 * of the product with qkv are ordered (3, heads, head size).
 */
export interface BlockData extends BlockShape {
  readonly x: Float32Array<ArrayBuffer>;
  readonly qkv: Float32Array<ArrayBuffer>;
  readonly proj: Float32Array<ArrayBuffer>;
  readonly up: Float32Array<ArrayBuffer>;
  readonly down: Float32Array<ArrayBuffer>;
  readonly dy: Float32Array<ArrayBuffer>;
}

/** What the variance is added to in layer norms: FLUX's. */
export const EPS = 1e-6;

export function blockData({ tokens, width, heads }: BlockShape): BlockData {
  const weight = (outputs: number, inputs: number, seed: number) =>
    random(outputs * inputs, seed).map((value) => value / Math.sqrt(inputs));
  return {
    tokens,
    width,
    heads,
    x: random(tokens * width, 1),
    qkv: weight(3 * width, width, 2),
    proj: weight(width, width, 3),
    up: weight(4 * width, width, 4),
    down: weight(width, 4 * width, 5),
    dy: random(tokens * width, 6),
  };
}

/** Some elements of the gradients of x and the four weights, by central differences of plain loops. */
export function blockGradientSamples(data: BlockData): Generator<Sample> {
  const names = ["x", "qkv", "proj", "up", "down"] as const;
  return ofResults(names.map((name) =>
    picks(data[name].length, 2).map((at) => ({
      at,
      expected: slope((distance) => {
        const moved = Float64Array.from(data[name]);
        moved[at]! += distance;
        return forward({ ...data, [name]: moved }).reduce((sum, each, i) => sum + each * data.dy[i]!, 0);
      }),
    }))
  ));
}

type Reference = BlockShape & Readonly<Record<"x" | "qkv" | "proj" | "up" | "down", ArrayLike<number>>>;

function forward({ tokens, width, heads, x, qkv, proj, up, down }: Reference): number[] {
  const linear = (x: ArrayLike<number>, weight: ArrayLike<number>) => {
    const k = x.length / tokens;
    return matmulReference(x, weight, { m: tokens, k, n: weight.length / k, transposeB: true });
  };
  const normalised = (x: ArrayLike<number>) => layerNorm(x, { shape: [1, tokens, width], eps: EPS });
  const rows = linear(normalised(x), qkv);
  const part = (which: number) =>
    Float64Array.from(
      { length: tokens * width },
      (_, i) => rows[Math.floor(i / width) * 3 * width + which * width + i % width]!,
    );
  const sizes = { batches: 1, queries: tokens, keys: tokens, heads, width: width / heads };
  const attended = linear(attentionReference({ q: part(0), k: part(1), v: part(2) }, sizes), proj);
  const h = Array.from(attended, (value, i) => x[i]! + value);
  const hidden = linear(normalised(h), up).map(gelu);
  return Array.from(linear(hidden, down), (value, i) => h[i]! + value);
}

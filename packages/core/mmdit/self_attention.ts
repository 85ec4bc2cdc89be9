import { attention, reshape, rmsNormRope, split, type Tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module, Parameter } from "../nn/module.ts";
import type { Positions } from "./positions.ts";

/** The positions of all tokens, and where those of one stream begin. */
export type StreamPositions = Positions & { readonly first: number };

/** Queries, keys and values of tokens, each [B, L, H, head size]. */
export interface Heads {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

class RMSNorm extends Module {
  readonly scale: Parameter;

  constructor(width: number) {
    super();
    this.scale = new Parameter([width]);
  }
}

/** RMS norm of queries and keys over the head size. */
export class QKNorm extends Module {
  readonly query_norm: RMSNorm;
  readonly key_norm: RMSNorm;

  constructor(width: number) {
    super();
    this.query_norm = new RMSNorm(width);
    this.key_norm = new RMSNorm(width);
  }
}

/** `qkv [B, L, 3 D]`, ordered (3, heads, head size), to heads, normalised and rotated to their positions. */
export function splitHeads(
  qkv: Tensor,
  { heads, norm, pe }: { heads: number; norm: QKNorm; pe: StreamPositions },
): Heads {
  const [batch = 0, tokens = 0, width = 0] = qkv.shape;
  const rows = reshape(qkv, [batch, tokens, 3 * heads, width / 3 / heads]);
  const [q, k, v] = split(rows, 2, [heads, heads, heads]) as [Tensor, Tensor, Tensor];
  return {
    q: rmsNormRope(q, { ...pe, scale: norm.query_norm.scale.tensor }),
    k: rmsNormRope(k, { ...pe, scale: norm.key_norm.scale.tensor }),
    v,
  };
}

/** Attention; the heads are joined again: `[B, L, H, head size] -> [B, L, D]`. */
export function attend({ q, k, v }: Heads): Tensor {
  const out = attention(q, k, v);
  const [batch = 0, tokens = 0, heads = 0, size = 0] = out.shape;
  return reshape(out, [batch, tokens, heads * size]);
}

/** The projections of one stream of a double block. */
export class SelfAttention extends Module {
  readonly qkv: Linear;
  readonly norm: QKNorm;
  readonly proj: Linear;
  readonly #heads: number;

  constructor(width: number, { heads, bias }: { heads: number; bias: boolean }) {
    super();
    this.qkv = new Linear(width, 3 * width, { bias });
    this.norm = new QKNorm(width / heads);
    this.proj = new Linear(width, width);
    this.#heads = heads;
  }

  /** `x [B, L, D]` to heads. */
  heads(x: Tensor, pe: StreamPositions): Heads {
    return splitHeads(this.qkv.forward(x), { heads: this.#heads, norm: this.norm, pe });
  }
}

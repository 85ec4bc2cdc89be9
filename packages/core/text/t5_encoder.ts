import { add, concat, multiply, scoped, split, type Tensor } from "@fluxsr/kernels";
import { Linear } from "../nn/linear.ts";
import { Module, type Part } from "../nn/module.ts";
import { RmsNorm } from "../nn/rms_norm.ts";
import { biasedAttention } from "./biased_attention.ts";
import type { T5Config } from "./configs.ts";
import { evenParts } from "./even_parts.ts";

/** Scores are not scaled: T5's initialisation does that. */
class T5Attention extends Module {
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly o: Linear;
  readonly #heads: number;

  constructor({ d_model, d_kv, num_heads }: T5Config) {
    super();
    const inner = num_heads * d_kv;
    this.q = new Linear(d_model, inner, { bias: false });
    this.k = new Linear(d_model, inner, { bias: false });
    this.v = new Linear(d_model, inner, { bias: false });
    this.o = new Linear(inner, d_model, { bias: false });
    this.#heads = num_heads;
  }

  forward(x: Tensor, distances: Tensor): Tensor {
    const qkv = [this.q.forward(x), this.k.forward(x), this.v.forward(x)] as const;
    return this.o.forward(biasedAttention(qkv, { heads: this.#heads, scale: 1, addend: { distances } }));
  }
}

/**
 * `wo (gelu(wi_0 x) wi_1 x)`, with GELU in the tanh form. Where that of all tokens is more than the adapter's limit for a
 * buffer, some are done after the others.
 */
class T5GatedGelu extends Module {
  readonly wi_0: Linear;
  readonly wi_1: Linear;
  readonly wo: Linear;
  readonly #inner: number;

  constructor({ d_model, d_ff }: T5Config) {
    super();
    this.#inner = d_ff;
    this.wi_0 = new Linear(d_model, d_ff, { bias: false });
    this.wi_1 = new Linear(d_model, d_ff, { bias: false });
    this.wo = new Linear(d_ff, d_model, { bias: false });
  }

  forward(x: Tensor): Tensor {
    const [batch = 0, tokens = 0] = x.shape;
    const parts = evenParts(tokens, { bytesEach: 4 * batch * this.#inner, largest: x.gpu.buffers.largest });
    if (parts.length === 1) return this.#gated(x);
    return concat(split(x, 1, parts).map((part) => scoped(x.gpu, () => this.#gated(part))), 1);
  }

  #gated(x: Tensor): Tensor {
    return this.wo.forward(multiply(this.wi_0.forward(x, { activation: "gelu" }), this.wi_1.forward(x)));
  }
}

class T5SelfAttentionLayer extends Module {
  readonly SelfAttention: T5Attention;
  readonly layer_norm: RmsNorm;

  constructor(config: T5Config) {
    super();
    this.SelfAttention = new T5Attention(config);
    this.layer_norm = new RmsNorm(config.d_model, { eps: config.layer_norm_epsilon });
  }

  forward(x: Tensor, distances: Tensor): Tensor {
    return add(x, this.SelfAttention.forward(this.layer_norm.forward(x), distances));
  }
}

class T5FeedForwardLayer extends Module {
  readonly DenseReluDense: T5GatedGelu;
  readonly layer_norm: RmsNorm;

  constructor(config: T5Config) {
    super();
    this.DenseReluDense = new T5GatedGelu(config);
    this.layer_norm = new RmsNorm(config.d_model, { eps: config.layer_norm_epsilon });
  }

  forward(x: Tensor): Tensor {
    return add(x, this.DenseReluDense.forward(this.layer_norm.forward(x)));
  }
}

class T5Block extends Module {
  readonly layer: readonly [T5SelfAttentionLayer, T5FeedForwardLayer];

  constructor(config: T5Config) {
    super();
    this.layer = [new T5SelfAttentionLayer(config), new T5FeedForwardLayer(config)];
  }

  forward(x: Tensor, distances: Tensor): Tensor {
    const [attention, feedForward] = this.layer;
    return feedForward.forward(attention.forward(x, distances));
  }
}

/** The encoder of T5 1.1 (arXiv 1910.10683), behind its embedding; names as in transformers' T5EncoderModel. */
export class T5Encoder extends Module {
  readonly encoder: { readonly block: readonly T5Block[]; readonly final_layer_norm: RmsNorm };

  constructor(config: T5Config) {
    super();
    this.encoder = {
      block: Array.from({ length: config.num_layers }, () => new T5Block(config)),
      final_layer_norm: new RmsNorm(config.d_model, { eps: config.layer_norm_epsilon }),
    };
  }

  /**
   * `x [B, L, D]`, the embeddings of tokens, to the last hidden state [B, L, D]; `distances` [H, 2 L - 1] is what
   * relative positions add to the scores, the same in all blocks. No token is masked. Takes `x` over.
   *
   * Stops before each block, whose path it gives out: weights that are not on the GPU can be loaded then, and freed when
   * the block has run.
   */
  *steps(x: Tensor, { distances }: { distances: Tensor }): Generator<string, Tensor> {
    let state = x;
    for (const { path, module } of this.blocks()) {
      yield path;
      const before = state;
      state = scoped(x.gpu, () => module.forward(before, distances));
      before.dispose();
    }
    const last = this.encoder.final_layer_norm.forward(state);
    state.dispose();
    return last;
  }

  /** The blocks, which are all of the weights but a vector. */
  *blocks(): Generator<Part & { readonly module: T5Block }> {
    for (const [i, module] of this.encoder.block.entries()) yield { path: `encoder.block.${i}`, module };
  }
}

import { add, scale, scoped, silu, type Tensor, tensor } from "@fluxsr/kernels";
import { LayerNorm } from "../nn/layer_norm.ts";
import { Linear } from "../nn/linear.ts";
import { Module } from "../nn/module.ts";
import { biasedAttention } from "./biased_attention.ts";
import type { ClipTextConfig } from "./configs.ts";

/** What a token must not see: its exponential is 0, and it is finite, so that no difference of two is NaN. */
const MASKED = -1e30;

class ClipAttention extends Module {
  readonly q_proj: Linear;
  readonly k_proj: Linear;
  readonly v_proj: Linear;
  readonly out_proj: Linear;
  readonly #heads: number;

  constructor(width: number, { heads }: { heads: number }) {
    super();
    this.q_proj = new Linear(width, width);
    this.k_proj = new Linear(width, width);
    this.v_proj = new Linear(width, width);
    this.out_proj = new Linear(width, width);
    this.#heads = heads;
  }

  forward(x: Tensor, mask: Tensor): Tensor {
    const heads = this.#heads;
    const scale = 1 / Math.sqrt((x.shape.at(-1) ?? 1) / heads);
    const qkv = [this.q_proj.forward(x), this.k_proj.forward(x), this.v_proj.forward(x)] as const;
    return this.out_proj.forward(biasedAttention(qkv, { heads, scale, addend: { bias: mask } }));
  }
}

class ClipMlp extends Module {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(width: number, inner: number) {
    super();
    this.fc1 = new Linear(width, inner);
    this.fc2 = new Linear(inner, width);
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(quickGelu(this.fc1.forward(x)));
  }
}

/** `x sigmoid(1.702 x)`, which is SiLU of a longer argument. */
function quickGelu(x: Tensor): Tensor {
  return scale(silu(scale(x, 1.702)), 1 / 1.702);
}

class ClipLayer extends Module {
  readonly layer_norm1: LayerNorm;
  readonly self_attn: ClipAttention;
  readonly layer_norm2: LayerNorm;
  readonly mlp: ClipMlp;

  constructor({ hidden_size, intermediate_size, num_attention_heads, layer_norm_eps }: ClipTextConfig) {
    super();
    this.layer_norm1 = new LayerNorm(hidden_size, { eps: layer_norm_eps });
    this.self_attn = new ClipAttention(hidden_size, { heads: num_attention_heads });
    this.layer_norm2 = new LayerNorm(hidden_size, { eps: layer_norm_eps });
    this.mlp = new ClipMlp(hidden_size, intermediate_size);
  }

  forward(x: Tensor, mask: Tensor): Tensor {
    const attended = add(x, this.self_attn.forward(this.layer_norm1.forward(x), mask));
    return add(attended, this.mlp.forward(this.layer_norm2.forward(attended)));
  }
}

/** The text transformer of CLIP (arXiv 2103.00020), behind its embeddings; names as in transformers' CLIPTextModel. */
export class ClipText extends Module {
  readonly text_model: {
    readonly encoder: { readonly layers: readonly ClipLayer[] };
    readonly final_layer_norm: LayerNorm;
  };

  constructor(config: ClipTextConfig) {
    super();
    this.text_model = {
      encoder: { layers: Array.from({ length: config.num_hidden_layers }, () => new ClipLayer(config)) },
      final_layer_norm: new LayerNorm(config.hidden_size, { eps: config.layer_norm_eps }),
    };
  }

  /** `x [B, L, D]`, the embeddings of tokens and positions, to the last hidden state [B, L, D]. */
  forward(x: Tensor): Tensor {
    const { encoder, final_layer_norm } = this.text_model;
    return scoped(x.gpu, () => {
      const tokens = x.shape[1] ?? 0;
      const mask = tensor(x.gpu, causalMask(tokens), [tokens, tokens]);
      const states = encoder.layers.reduce((state, layer) => {
        const next = scoped(x.gpu, () => layer.forward(state, mask));
        if (state !== x) state.dispose();
        return next;
      }, x);
      return final_layer_norm.forward(states);
    });
  }
}

/** [L, L]: 0 where the key is not after the query. */
function causalMask(tokens: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: tokens * tokens },
    (_, i) => i % tokens > Math.floor(i / tokens) ? MASKED : 0,
  );
}

/**
 * Where the text ends, whose state is the pooled one: the first `eos_token_id`. Configurations with 2 there, as CLIP-L's,
 * are from before that field was right, and the end is the largest token.
 */
export function endOfText(tokens: readonly number[], { eos_token_id }: Pick<ClipTextConfig, "eos_token_id">): number {
  return Math.max(0, tokens.indexOf(eos_token_id === 2 ? Math.max(...tokens) : eos_token_id));
}

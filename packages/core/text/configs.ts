/** Sizes of CLIP's text transformer, named as in transformers' `CLIPTextConfig`. */
export interface ClipTextConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** The most tokens of a text. */
  readonly max_position_embeddings: number;
  readonly layer_norm_eps: number;
  readonly eos_token_id: number;
}

/** Sizes of T5's encoder, named as in transformers' `T5Config`. */
export interface T5Config {
  readonly vocab_size: number;
  readonly d_model: number;
  /** Channels of a head. */
  readonly d_kv: number;
  readonly d_ff: number;
  readonly num_layers: number;
  readonly num_heads: number;
  readonly relative_attention_num_buckets: number;
  readonly relative_attention_max_distance: number;
  readonly layer_norm_epsilon: number;
  readonly pad_token_id: number;
}

/** Sizes of a FLUX transformer, named as in black-forest-labs/flux `FluxParams` (src/flux/model.py). */
export interface MmditConfig {
  readonly in_channels: number;
  readonly out_channels: number;
  readonly vec_in_dim: number;
  readonly context_in_dim: number;
  readonly hidden_size: number;
  readonly mlp_ratio: number;
  readonly num_heads: number;
  /** Number of double stream blocks. */
  readonly depth: number;
  readonly depth_single_blocks: number;
  /** RoPE channels per position axis; their sum is `hidden_size / num_heads`. */
  readonly axes_dim: readonly number[];
  readonly theta: number;
  readonly qkv_bias: boolean;
  readonly guidance_embed: boolean;
}

/** Sizes of FLUX's autoencoder, named as in black-forest-labs/flux `AutoEncoderParams` (src/flux/modules/autoencoder.py). */
export interface AutoencoderConfig {
  readonly resolution: number;
  readonly in_channels: number;
  readonly ch: number;
  readonly out_ch: number;
  /** Per level, finest first: channels are `ch * ch_mult[level]`. */
  readonly ch_mult: readonly number[];
  readonly num_res_blocks: number;
  readonly z_channels: number;
  readonly scale_factor: number;
  readonly shift_factor: number;
  readonly norm_num_groups: number;
}

/** FLUX.1-dev, https://huggingface.co/black-forest-labs/FLUX.1-dev. */
export const FLUX_DEV: MmditConfig = {
  in_channels: 64,
  out_channels: 64,
  vec_in_dim: 768,
  context_in_dim: 4096,
  hidden_size: 3072,
  mlp_ratio: 4,
  num_heads: 24,
  depth: 19,
  depth_single_blocks: 38,
  axes_dim: [16, 56, 56],
  theta: 10_000,
  qkv_bias: true,
  guidance_embed: true,
};

/** The autoencoder of FLUX.1. */
export const FLUX_AUTOENCODER: AutoencoderConfig = {
  resolution: 256,
  in_channels: 3,
  ch: 128,
  out_ch: 3,
  ch_mult: [1, 2, 4, 4],
  num_res_blocks: 2,
  z_channels: 16,
  scale_factor: 0.3611,
  shift_factor: 0.1159,
  norm_num_groups: 32,
};

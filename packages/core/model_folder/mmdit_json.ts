import { InputError } from "../errors.ts";
import type { MmditConfig } from "./configs.ts";

/** What FluxTransformer2DModel has no field for, and the value that it has there. */
const FIXED = { mlp_ratio: 4, theta: 10_000, qkv_bias: true } as const;

/**
 * `config` in the form of diffusers' FluxTransformer2DModel, which `parseMmditConfig` reads.
 * @throws {InputError} if it cannot be said there
 */
export function mmditJson(config: MmditConfig): Record<string, unknown> {
  for (const [key, value] of Object.entries(FIXED)) {
    const own = config[key as keyof typeof FIXED];
    if (own === value) continue;
    throw new InputError(
      `Cannot write the transformer in the diffusers layout: ${key} must be ${value}: it is ${own}`,
      { hint: "write it in the BFL layout" },
    );
  }
  return {
    _class_name: "FluxTransformer2DModel",
    attention_head_dim: config.hidden_size / config.num_heads,
    axes_dims_rope: config.axes_dim,
    guidance_embeds: config.guidance_embed,
    in_channels: config.in_channels,
    joint_attention_dim: config.context_in_dim,
    num_attention_heads: config.num_heads,
    num_layers: config.depth,
    num_single_layers: config.depth_single_blocks,
    out_channels: config.out_channels === config.in_channels ? null : config.out_channels,
    patch_size: 1,
    pooled_projection_dim: config.vec_in_dim,
  };
}

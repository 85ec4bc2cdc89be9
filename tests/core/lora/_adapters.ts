import type { LoraAdapter } from "../../../packages/core/lora/adapter.ts";
import type { MmditConfig } from "../../../packages/core/model_folder/configs.ts";

/** A transformer of width 4 with one block of each kind. */
export const TINY: MmditConfig = {
  in_channels: 8,
  out_channels: 8,
  vec_in_dim: 3,
  context_in_dim: 5,
  hidden_size: 4,
  mlp_ratio: 2,
  num_heads: 1,
  depth: 1,
  depth_single_blocks: 1,
  axes_dim: [2, 2],
  theta: 10_000,
  qkv_bias: true,
  guidance_embed: false,
};

/** scale B A [out, in], row by row. */
export function change({ a, b, rank, in: inner, out, scale }: LoraAdapter): Float64Array {
  const result = new Float64Array(out * inner);
  for (let row = 0; row < out; row++) {
    for (let column = 0; column < inner; column++) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += b[row * rank + r]! * a[r * inner + column]!;
      result[row * inner + column] = scale * sum;
    }
  }
  return result;
}

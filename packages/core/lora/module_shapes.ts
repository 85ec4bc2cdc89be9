import { TIME_CHANNELS } from "../mmdit/embedder.ts";
import type { MmditConfig } from "../model_folder/configs.ts";

/** The linear modules of a FLUX transformer, by BFL name, with their weights' shapes [out, in]. */
export function moduleShapes(config: MmditConfig): ReadonlyMap<string, readonly [out: number, inner: number]> {
  const { hidden_size: width } = config;
  const mlp = Math.trunc(width * config.mlp_ratio);
  const shapes = new Map<string, readonly [number, number]>();
  const add = (name: string, out: number, inner: number) => shapes.set(name, [out, inner]);
  const addEmbedder = (name: string, inner: number) => {
    add(`${name}.in_layer`, width, inner);
    add(`${name}.out_layer`, width, width);
  };
  add("img_in", width, config.in_channels);
  addEmbedder("time_in", TIME_CHANNELS);
  addEmbedder("vector_in", config.vec_in_dim);
  if (config.guidance_embed) addEmbedder("guidance_in", TIME_CHANNELS);
  add("txt_in", width, config.context_in_dim);
  for (let i = 0; i < config.depth; i++) {
    for (const stream of ["img", "txt"]) {
      const block = `double_blocks.${i}.${stream}`;
      add(`${block}_mod.lin`, 6 * width, width);
      add(`${block}_attn.qkv`, 3 * width, width);
      add(`${block}_attn.proj`, width, width);
      add(`${block}_mlp.0`, mlp, width);
      add(`${block}_mlp.2`, width, mlp);
    }
  }
  for (let i = 0; i < config.depth_single_blocks; i++) {
    const block = `single_blocks.${i}`;
    add(`${block}.modulation.lin`, 3 * width, width);
    add(`${block}.linear1`, 3 * width + mlp, width);
    add(`${block}.linear2`, width, width + mlp);
  }
  add("final_layer.adaLN_modulation.1", 2 * width, width);
  add("final_layer.linear", config.out_channels, width);
  return shapes;
}

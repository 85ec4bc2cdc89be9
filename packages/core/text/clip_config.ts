import { JsonFields } from "../files/json_fields.ts";
import { MAX_LEVELS } from "../weights/name_prefix.ts";
import type { ClipTextConfig } from "./configs.ts";

/**
 * The configuration in `json`, the contents of `path`: the config.json of transformers' CLIPTextModel. Fallbacks are
 * those of transformers.
 * @throws {InputError} naming the field that is wrong, contradicts another, or asks for what CLIP-L does not have
 */
export function parseClipConfig(path: string, json: unknown): ClipTextConfig {
  const fields = new JsonFields(path, json);
  fields.exactly("model_type", "clip_text_model");
  // OpenCLIP's larger models have another activation.
  fields.exactly("hidden_act", "quick_gelu");
  const config = {
    vocab_size: fields.integer("vocab_size", { fallback: 49408 }),
    hidden_size: fields.integer("hidden_size", { fallback: 512 }),
    intermediate_size: fields.integer("intermediate_size", { fallback: 2048 }),
    num_hidden_layers: fields.integer("num_hidden_layers", { max: MAX_LEVELS, fallback: 12 }),
    num_attention_heads: fields.integer("num_attention_heads", { fallback: 8 }),
    max_position_embeddings: fields.integer("max_position_embeddings", { min: 2, fallback: 77 }),
    layer_norm_eps: fields.number("layer_norm_eps", { rule: "above 0", isGood: (eps) => eps > 0, fallback: 1e-5 }),
    eos_token_id: fields.integer("eos_token_id", { min: 0, fallback: 49407 }),
  };
  const { hidden_size, num_attention_heads } = config;
  if (hidden_size % num_attention_heads !== 0) {
    throw fields.error("hidden_size", `a multiple of num_attention_heads (${num_attention_heads})`);
  }
  return config;
}

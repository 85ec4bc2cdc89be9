import { JsonFields } from "../files/json_fields.ts";
import { MAX_LEVELS } from "../weights/name_prefix.ts";
import type { T5Config } from "./configs.ts";

/**
 * The configuration in `json`, the contents of `path`: the config.json of transformers' T5EncoderModel, of the kind with
 * gated GELU (T5 1.1). Fallbacks are those of transformers.
 * @throws {InputError} naming the field that is wrong, or asks for another kind of T5
 */
export function parseT5Config(path: string, json: unknown): T5Config {
  const fields = new JsonFields(path, json);
  fields.exactly("model_type", "t5");
  // Its absence means the ReLU of the first T5.
  if (!fields.has("feed_forward_proj")) throw fields.error("feed_forward_proj", `"gated-gelu"`);
  fields.exactly("feed_forward_proj", "gated-gelu");
  const num_buckets = fields.integer("relative_attention_num_buckets", { min: 4, fallback: 32 });
  if (num_buckets % 2 !== 0) throw fields.error("relative_attention_num_buckets", "even");
  return {
    vocab_size: fields.integer("vocab_size", { fallback: 32128 }),
    d_model: fields.integer("d_model", { fallback: 512 }),
    d_kv: fields.integer("d_kv", { fallback: 64 }),
    d_ff: fields.integer("d_ff", { fallback: 2048 }),
    num_layers: fields.integer("num_layers", { max: MAX_LEVELS, fallback: 6 }),
    num_heads: fields.integer("num_heads", { fallback: 8 }),
    relative_attention_num_buckets: num_buckets,
    relative_attention_max_distance: fields.integer("relative_attention_max_distance", {
      min: num_buckets / 4 + 1,
      fallback: 128,
    }),
    layer_norm_epsilon: fields.number("layer_norm_epsilon", {
      rule: "above 0",
      isGood: (eps) => eps > 0,
      fallback: 1e-6,
    }),
    pad_token_id: fields.integer("pad_token_id", { min: 0, fallback: 0 }),
  };
}

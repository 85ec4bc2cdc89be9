import { InputError } from "../errors.ts";
import { quote } from "../files/messages.ts";
import { FLUX_DEV, type MmditConfig } from "./configs.ts";
import { JsonFields } from "../files/json_fields.ts";
import { countLevels, MAX_LEVELS } from "../weights/name_prefix.ts";
import { sizeIn } from "./size_in.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/**
 * The configuration in `json`, the contents of `path`: BFL's fields ({@linkcode MmditConfig}), or the config.json of
 * diffusers' FluxTransformer2DModel.
 * @throws {InputError} naming the field that is missing, of the wrong type, or contradicts another.
 */
export function parseMmditConfig(path: string, json: unknown): MmditConfig {
  const fields = new JsonFields(path, json);
  return fields.has("num_attention_heads") || fields.has("_class_name") ? fromDiffusers(fields) : fromBfl(fields);
}

function fromBfl(fields: JsonFields): MmditConfig {
  fields.onlyKnown(Object.keys(FLUX_DEV));
  const config = {
    in_channels: fields.integer("in_channels"),
    out_channels: fields.integer("out_channels", { fallback: fields.integer("in_channels") }),
    vec_in_dim: fields.integer("vec_in_dim"),
    context_in_dim: fields.integer("context_in_dim"),
    hidden_size: fields.integer("hidden_size"),
    mlp_ratio: fields.number("mlp_ratio", { rule: "above 0", isGood: (value) => value > 0, fallback: 4 }),
    num_heads: fields.integer("num_heads"),
    depth: fields.integer("depth", { min: 0, max: MAX_LEVELS }),
    depth_single_blocks: fields.integer("depth_single_blocks", { min: 0, max: MAX_LEVELS }),
    axes_dim: fields.integers("axes_dim"),
    theta: fields.number("theta", { rule: "above 0", isGood: (value) => value > 0, fallback: 10_000 }),
    qkv_bias: fields.boolean("qkv_bias", { fallback: true }),
    guidance_embed: fields.boolean("guidance_embed"),
  };
  const { hidden_size, num_heads } = config;
  if (hidden_size % num_heads !== 0) throw fields.error("hidden_size", `a multiple of num_heads (${num_heads})`);
  if (hidden_size * config.mlp_ratio < 1) {
    throw fields.error("mlp_ratio", `such that hidden_size (${hidden_size}) times it is at least 1`);
  }
  checkAxes(fields, "axes_dim", config.axes_dim, hidden_size / num_heads);
  return config;
}

/** Fallbacks are those of diffusers; what it does not store is fixed there. */
function fromDiffusers(fields: JsonFields): MmditConfig {
  fields.exactly("_class_name", "FluxTransformer2DModel");
  fields.exactly("patch_size", 1);
  const headDim = fields.integer("attention_head_dim", { fallback: 128 });
  const num_heads = fields.integer("num_attention_heads", { fallback: 24 });
  const in_channels = fields.integer("in_channels", { fallback: 64 });
  const axes_dim = fields.integers("axes_dims_rope", { fallback: FLUX_DEV.axes_dim });
  checkAxes(fields, "axes_dims_rope", axes_dim, headDim);
  return {
    in_channels,
    out_channels: fields.integer("out_channels", { fallback: in_channels }),
    vec_in_dim: fields.integer("pooled_projection_dim", { fallback: 768 }),
    context_in_dim: fields.integer("joint_attention_dim", { fallback: 4096 }),
    hidden_size: headDim * num_heads,
    mlp_ratio: 4,
    num_heads,
    depth: fields.integer("num_layers", { min: 0, max: MAX_LEVELS, fallback: 19 }),
    depth_single_blocks: fields.integer("num_single_layers", { min: 0, max: MAX_LEVELS, fallback: 38 }),
    axes_dim,
    theta: 10_000,
    qkv_bias: true,
    guidance_embed: fields.boolean("guidance_embeds", { fallback: false }),
  };
}

function checkAxes(fields: JsonFields, key: string, axes: readonly number[], headDim: number): void {
  if (axes.length !== 3) throw fields.error(key, "three numbers");
  if (axes.some((axis) => axis % 2 !== 0)) throw fields.error(key, "even numbers");
  const sum = axes.reduce((total, axis) => total + axis, 0);
  if (sum !== headDim) throw fields.error(key, `numbers whose sum is the size of a head (${headDim})`);
}

/**
 * The configuration of a FLUX transformer with BFL names, from its shapes.
 * @throws {InputError} if tensors are missing, or its heads do not have FLUX's 128 channels, so that how RoPE divides
 * them cannot be known.
 */
export function inferMmditConfig(source: WeightSource): MmditConfig {
  const { tensors, path } = source;
  const size = (name: string, axis: number) => sizeIn(source, name, axis);
  const hidden_size = size("img_in.weight", 0);
  const depth = countLevels(tensors.keys(), /^double_blocks\.(\d+)\./);
  const depth_single_blocks = countLevels(tensors.keys(), /^single_blocks\.(\d+)\./);
  const double = depth > 0;
  const headDim = size(
    double ? "double_blocks.0.img_attn.norm.query_norm.scale" : "single_blocks.0.norm.query_norm.scale",
    0,
  );
  const mlpSize = double
    ? size("double_blocks.0.img_mlp.0.weight", 0)
    : size("single_blocks.0.linear1.weight", 0) - 3 * hidden_size;
  if (headDim !== 128 || hidden_size % headDim !== 0) {
    throw new InputError(
      `Cannot load ${quote(path)}: a transformer without a config.json must have heads of 128 channels: ` +
        `it has ${hidden_size} channels in heads of ${headDim}`,
      { hint: "put a config.json beside the weights that gives axes_dim" },
    );
  }
  return {
    in_channels: size("img_in.weight", 1),
    out_channels: size("final_layer.linear.weight", 0),
    vec_in_dim: size("vector_in.in_layer.weight", 1),
    context_in_dim: size("txt_in.weight", 1),
    hidden_size,
    mlp_ratio: mlpSize / hidden_size,
    num_heads: hidden_size / headDim,
    depth,
    depth_single_blocks,
    axes_dim: FLUX_DEV.axes_dim,
    theta: FLUX_DEV.theta,
    qkv_bias: !double || tensors.has("double_blocks.0.img_attn.qkv.bias"),
    guidance_embed: tensors.has("guidance_in.in_layer.weight"),
  };
}

import { InputError } from "../errors.ts";
import { quote } from "../files/messages.ts";
import { type AutoencoderConfig, FLUX_AUTOENCODER } from "./configs.ts";
import { JsonFields } from "../files/json_fields.ts";
import { countLevels, MAX_LEVELS } from "../weights/name_prefix.ts";
import { sizeIn } from "./size_in.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/**
 * The configuration in `json`, the contents of `path`: BFL's fields ({@linkcode AutoencoderConfig}), or the
 * config.json of diffusers' AutoencoderKL.
 * @throws {InputError} naming the field that is missing, of the wrong type, or contradicts another.
 */
export function parseAutoencoderConfig(path: string, json: unknown): AutoencoderConfig {
  const fields = new JsonFields(path, json);
  const isDiffusers = fields.has("block_out_channels") || fields.has("_class_name");
  const config = isDiffusers ? fromDiffusers(fields) : fromBfl(fields);
  const channels = indivisible(config);
  if (channels) throw fields.error("norm_num_groups", `a divisor of every level's channels, one has ${channels}`);
  return config;
}

const NOT_ZERO = { rule: "a number other than 0", isGood: (value: number) => value !== 0 };

function fromBfl(fields: JsonFields): AutoencoderConfig {
  fields.onlyKnown(Object.keys(FLUX_AUTOENCODER));
  return {
    resolution: fields.integer("resolution", { fallback: 256 }),
    in_channels: fields.integer("in_channels", { fallback: 3 }),
    ch: fields.integer("ch"),
    out_ch: fields.integer("out_ch", { fallback: 3 }),
    ch_mult: fields.integers("ch_mult"),
    num_res_blocks: fields.integer("num_res_blocks", { max: MAX_LEVELS }),
    z_channels: fields.integer("z_channels"),
    scale_factor: fields.number("scale_factor", NOT_ZERO),
    shift_factor: fields.number("shift_factor"),
    norm_num_groups: fields.integer("norm_num_groups", { fallback: 32 }),
  };
}

function fromDiffusers(fields: JsonFields): AutoencoderConfig {
  fields.exactly("_class_name", "AutoencoderKL");
  const channels = fields.integers("block_out_channels");
  const ch = channels[0]!;
  if (channels.some((each) => each % ch !== 0)) {
    throw fields.error("block_out_channels", "multiples of its first number");
  }
  return {
    resolution: fields.integer("sample_size", { fallback: 256 }),
    in_channels: fields.integer("in_channels", { fallback: 3 }),
    ch,
    out_ch: fields.integer("out_channels", { fallback: 3 }),
    ch_mult: channels.map((each) => each / ch),
    num_res_blocks: fields.integer("layers_per_block", { max: MAX_LEVELS }),
    z_channels: fields.integer("latent_channels"),
    scale_factor: fields.number("scaling_factor", NOT_ZERO),
    shift_factor: fields.number("shift_factor", { fallback: 0 }),
    norm_num_groups: fields.integer("norm_num_groups", { fallback: 32 }),
  };
}

/** `config` in the form of diffusers' AutoencoderKL, which {@linkcode parseAutoencoderConfig} reads. */
export function autoencoderJson(config: AutoencoderConfig): Record<string, unknown> {
  return {
    _class_name: "AutoencoderKL",
    in_channels: config.in_channels,
    out_channels: config.out_ch,
    block_out_channels: config.ch_mult.map((factor) => factor * config.ch),
    layers_per_block: config.num_res_blocks,
    latent_channels: config.z_channels,
    norm_num_groups: config.norm_num_groups,
    sample_size: config.resolution,
    scaling_factor: config.scale_factor,
    shift_factor: config.shift_factor,
    use_quant_conv: false,
    use_post_quant_conv: false,
  };
}

/** The channels of the first level that the groups of its norms do not divide. */
function indivisible({ ch, ch_mult, norm_num_groups }: AutoencoderConfig): number | undefined {
  return ch_mult.map((mult) => ch * mult).find((channels) => channels % norm_num_groups !== 0);
}

/**
 * The configuration of an autoencoder with BFL names, from its shapes; latents are scaled and group norms grouped as
 * in FLUX.
 * @throws {InputError} if tensors are missing, or FLUX's 32 groups do not divide the channels.
 */
export function inferAutoencoderConfig(source: WeightSource): AutoencoderConfig {
  const names = [...source.tensors.keys()];
  const size = (name: string, axis: number) => sizeIn(source, name, axis);
  const ch = size("encoder.conv_in.weight", 0);
  const levels = countLevels(names, /^encoder\.down\.(\d+)\./);
  const config = {
    ...FLUX_AUTOENCODER,
    in_channels: size("encoder.conv_in.weight", 1),
    ch,
    out_ch: size("decoder.conv_out.weight", 0),
    ch_mult: Array.from({ length: levels }, (_, i) => size(`encoder.down.${i}.block.0.conv1.weight`, 0) / ch),
    num_res_blocks: countLevels(names, /^encoder\.down\.0\.block\.(\d+)\./),
    z_channels: size("encoder.conv_out.weight", 0) / 2,
  };
  const channels = indivisible(config);
  if (channels || levels === 0 || !config.ch_mult.every(Number.isInteger) || !Number.isInteger(config.z_channels)) {
    throw new InputError(
      `Cannot load ${
        quote(source.path)
      }: an autoencoder without a config.json must have FLUX's 32 groups in its norms ` +
        `and levels of whole multiples of the first: it has ${
          config.ch_mult.map((mult) => mult * ch).join(", ")
        } channels`,
      { hint: "put a config.json beside the weights that gives norm_num_groups" },
    );
  }
  return config;
}

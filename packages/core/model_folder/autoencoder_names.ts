import { InputError } from "../errors.ts";
import { quote, showNames } from "../files/messages.ts";
import { isPointwise, toBflName } from "./diffusers_autoencoder.ts";
import { countLevels, findPrefix, withoutPrefix } from "../weights/name_prefix.ts";
import { type Recipe, renamedSource } from "../weights/renamed_source.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/** Prefixes that files put before the autoencoder's names, and a name that it has. */
const SIGNS = { prefixes: ["", "first_stage_model.", "vae.", "model."], anchors: ["encoder.conv_in.weight"] };

/** Whether `names` are those of FLUX's autoencoder, in the BFL or the diffusers naming. */
export function isAutoencoder(names: ReadonlyMap<string, unknown>): boolean {
  return findPrefix(names, SIGNS) !== undefined;
}

/**
 * `source` under BFL names, whichever naming it has: `decoder.up.0.block.0.conv1.weight`, ... Where the file puts a
 * prefix before the autoencoder's names, tensors without it are left out; a name in neither naming is kept.
 *
 * @throws {InputError} if `source` is not an autoencoder, or has the quant_conv layers that FLUX's does not have.
 */
export function autoencoderNames(source: WeightSource): WeightSource {
  const fail = (rule: string) => new InputError(`Cannot load ${quote(source.path)}: ${rule}`);
  const prefix = findPrefix(source.tensors, SIGNS);
  if (prefix === undefined) {
    throw fail(`tensors must be those of FLUX's autoencoder: file has ${showNames([...source.tensors.keys()])}`);
  }
  const plain = withoutPrefix(source, prefix);
  const names = [...plain.tensors.keys()];
  const quant = names.filter((name) => /^(post_)?quant_conv\./.test(name));
  if (quant.length > 0) throw fail(`FLUX's autoencoder has no quant convolutions: file has ${showNames(quant)}`);
  if (!names.some((name) => /^(en|de)coder\.(down_blocks|up_blocks|mid_block)\./.test(name))) return plain;

  const levels = countLevels(names, /^decoder\.up_blocks\.(\d+)\./);
  const recipes = new Map<string, Recipe>();
  for (const name of names) {
    const target = toBflName(name, levels);
    const other = recipes.get(target);
    if (other) throw fail(`names must be distinct: ${showNames([...other.parts, name])} are both ${quote(target)}`);
    recipes.set(target, { parts: [name], asConvolution: isPointwise(target) });
  }
  return renamedSource(plain, recipes);
}

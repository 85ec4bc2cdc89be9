import { InputError } from "../errors.ts";
import { quote, showNames } from "../files/messages.ts";
import { diffusersModules } from "./diffusers_modules.ts";
import { countLevels, findPrefix, withoutPrefix } from "../weights/name_prefix.ts";
import { refuseOtherModels, refuseOtherQuantisation } from "./recognise.ts";
import { type Recipe, renamedSource } from "../weights/renamed_source.ts";
import type { WeightSource } from "../weights/weight_source.ts";

/** Prefixes that files put before the transformer's names, and names that only a FLUX transformer has. */
const SIGNS = {
  prefixes: ["", "model.diffusion_model.", "diffusion_model.", "transformer.", "model."],
  anchors: ["img_in.weight", "x_embedder.weight"],
};

/** Whether `names` are those of a FLUX transformer, in the BFL or the diffusers naming. */
export function isMmdit(names: ReadonlyMap<string, unknown>): boolean {
  return findPrefix(names, SIGNS) !== undefined;
}

/**
 * `source` under BFL names, whichever naming it has: `double_blocks.0.img_attn.qkv.weight`, ... Where the file puts a
 * prefix before the transformer's names, tensors without it belong to other networks and are left out; a name in
 * neither naming is kept.
 *
 * @throws {InputError} if `source` is not a FLUX transformer (FLUX.2, say), is quantised in a way that is not read, or a part (q, k, v,
 * mlp) of a tensor is missing.
 */
export function mmditNames(source: WeightSource): WeightSource {
  const { tensors, path } = source;
  refuseOtherModels(path, tensors);
  refuseOtherQuantisation(path, tensors);
  const prefix = findPrefix(tensors, SIGNS);
  if (prefix === undefined) {
    const state = `file has ${showNames([...tensors.keys()])}`;
    throw new InputError(`Cannot load ${quote(path)}: tensors must be those of a FLUX transformer: ${state}`);
  }
  const plain = withoutPrefix(source, prefix);
  return plain.tensors.has("x_embedder.weight") ? renamedSource(plain, fromDiffusers(plain)) : plain;
}

function fromDiffusers({ tensors }: WeightSource): Map<string, Recipe> {
  const names = [...tensors.keys()];
  const depth = countLevels(names, /^transformer_blocks\.(\d+)\./);
  const depthSingle = countLevels(names, /^single_transformer_blocks\.(\d+)\./);
  const recipes = new Map<string, Recipe>();
  const used = new Set<string>();
  const stacks = new Map<string, string[]>();
  for (const [module, place] of diffusersModules(depth, depthSingle)) {
    for (const parameter of ["weight", "bias"]) {
      const name = `${module}.${parameter}`;
      const isScale = parameter === "weight" && place.module.endsWith("_norm");
      const target = `${place.module}.${isScale ? "scale" : parameter}`;
      if (tensors.has(name)) used.add(name);
      if (place.part > 0) stacks.get(target)!.push(name);
      else {
        const parts = [name];
        stacks.set(target, parts);
        recipes.set(target, { parts, swapHalves: place.swapHalves });
      }
    }
  }
  // A parameter that the file does not have at all (a bias, guidance) is not in the model; one with some parts is.
  for (const [target, { parts }] of recipes) if (!parts.some((part) => used.has(part))) recipes.delete(target);
  for (const name of names) {
    if (used.has(name)) continue;
    if (recipes.has(name)) throw new InputError(`Cannot load ${quote(name)}: file has it in both namings`);
    recipes.set(name, { parts: [name] });
  }
  return recipes;
}

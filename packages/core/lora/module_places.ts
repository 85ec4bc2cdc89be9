import type { MmditConfig } from "../model_folder/configs.ts";
import { type BflPlace, diffusersModules, rowsOfPart } from "../model_folder/diffusers_modules.ts";
import { moduleShapes } from "./module_shapes.ts";

/** Where an adapter's module is in the model. */
export interface ModulePlace extends BflPlace {
  /** The shape of the weight that the adapter adds to. */
  readonly out: number;
  readonly in: number;
  /** The row of the BFL module at which it begins, and how many rows that module has. */
  readonly row: number;
  readonly rows: number;
}

/**
 * Every name that LoRA files have for a module of the model, without prefix: the BFL name, the diffusers name, and
 * both with "_" for "." (kohya, OneTrainer).
 */
export function modulePlaces(config: MmditConfig): ReadonlyMap<string, ModulePlace> {
  const shapes = moduleShapes(config);
  const places = new Map<string, ModulePlace>();
  const add = (name: string, place: ModulePlace) => places.set(name, place).set(name.replaceAll(".", "_"), place);
  for (const [module, [out, inner]] of shapes) {
    add(module, { module, part: 0, parts: 1, swapHalves: false, out, in: inner, row: 0, rows: out });
  }
  for (const [name, place] of diffusersModules(config.depth, config.depth_single_blocks)) {
    const shape = shapes.get(place.module);
    if (!shape) continue; // a norm, or guidance that this model does not have
    const [rows, inner] = shape;
    const { begin: row, end } = rowsOfPart(place, { rows, width: config.hidden_size });
    add(name, { ...place, out: end - row, in: inner, row, rows });
  }
  return places;
}

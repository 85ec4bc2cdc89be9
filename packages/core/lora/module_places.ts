import type { MmditConfig } from "../model_folder/configs.ts";
import { type BflPlace, diffusersModules } from "../model_folder/diffusers_modules.ts";
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
    // Of several parts all but linear1's last (the MLP) have the width of the model.
    const row = place.part * config.hidden_size;
    const out = place.parts === 1 ? rows : place.part < 3 ? config.hidden_size : rows - row;
    add(name, { ...place, out, in: inner, row, rows });
  }
  return places;
}

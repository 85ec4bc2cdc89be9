import { checkpoint } from "@fluxsr/kernels";
import type { Tiles } from "../nn/group_norm.ts";
import type { Layer } from "./blocks.ts";

/** A layer of a half of the autoencoder. */
export interface Step {
  readonly layer: Layer;
  /** What its values are called, if they are to be observed. */
  readonly name?: string;
}

/** `layers`, the last of which gives the values `name`. */
export function named(name: string, layers: readonly Layer[]): Step[] {
  return layers.map((layer, i) => i < layers.length - 1 ? { layer } : { layer, name });
}

/** Called with intermediate values, named as in the checkpoint (`encoder.down.0`, ...); only valid in the call. */
export type Observer = (name: string, tiles: Tiles) => void;

/** Runs `steps` one after the other, each for all tiles, and frees every value as soon as the next is there. */
export function chain(tiles: Tiles, steps: readonly Step[], observe: Observer): Tiles {
  return steps.reduce((values, { layer, name }) => {
    const next = checkpoint(layer.constructor.name, values, () => layer.forward(values));
    if (values !== tiles) { for (const value of values) value.dispose(); }
    if (name !== undefined) observe(name, next);
    return next;
  }, tiles);
}

import { checkpoint } from "@fluxsr/kernels";
import type { Tiles } from "../nn/group_norm.ts";

/** A part of the autoencoder, from tiles of a picture to as many tiles. */
export interface Layer {
  forward(tiles: Tiles): Tiles;
}

/** Runs `layers` one after the other; takes `tiles` over and frees every value as soon as the next is there. */
export function chain(tiles: Tiles, layers: readonly Layer[]): Tiles {
  return layers.reduce((values, layer) => {
    const next = checkpoint(layer.constructor.name, values, () => layer.forward(values));
    for (const value of values) value.dispose();
    return next;
  }, tiles);
}

/** Called with intermediate values, named as in the checkpoint (`encoder.down.0`, ...); only valid in the call. */
export type Observer = (name: string, tiles: Tiles) => void;

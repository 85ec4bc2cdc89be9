import type { Tiles } from "../nn/group_norm.ts";

/** A part of the autoencoder, from tiles of a picture to as many tiles. */
export interface Layer {
  forward(tiles: Tiles): Tiles;
}

/** Runs `layers` one after the other; takes `tiles` over and frees every value as soon as the next is there. */
export function chain(tiles: Tiles, layers: readonly Layer[]): Tiles {
  return layers.reduce((values, layer) => {
    const next = layer.forward(values);
    for (const value of values) value.dispose();
    return next;
  }, tiles);
}

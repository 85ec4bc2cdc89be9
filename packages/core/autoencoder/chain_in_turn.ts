import { scoped, type Tensor } from "@fluxsr/kernels";
import type { Tiles } from "../nn/group_norm.ts";
import type { Layer } from "./blocks.ts";
import type { Step } from "./chain.ts";

/**
 * The same values as of `chain`, to the bit, with one tile at a time: for every group norm each tile first runs up to it,
 * for the statistics of all. Between two layers the values of all tiles are kept if they take at most `keep` bytes; else
 * tiles run again from the last that were. So a picture of any size is seen as a whole, for more work.
 */
export function chainInTurn(tiles: Tiles, steps: readonly Step[], { keep }: { keep: number }): Tiles {
  let values = tiles;
  let pending: Layer[] = [];
  try {
    for (const { layer } of steps) {
      pending.push(layer);
      for (const norm of layer.norms) {
        norm.statistics = norm.measure(values, (tile) => through(tile, pending));
      }
      const [first] = through(values[0]!, pending) as [Tensor];
      const isLast = layer === steps.at(-1)?.layer;
      if (!isLast && first.buffer.size * values.length > keep) {
        first.dispose();
        continue;
      }
      const before = values;
      values = before.map((value, i) => {
        const [next] = i === 0 ? [first] : through(value, pending);
        if (before !== tiles) value.dispose();
        return next!;
      });
      forget(pending);
      pending = [];
      tiles[0]!.gpu.trim();
    }
    return values;
  } finally {
    forget(pending);
  }
}

/** One tile through `layers`. */
function through(tile: Tensor, layers: readonly Layer[]): Tiles {
  return scoped(tile.gpu, () =>
    layers.reduce<Tiles>((values, layer) => {
      const next = layer.forward(values);
      for (const value of values) if (value !== tile) value.dispose();
      return next;
    }, [tile]));
}

/** Frees the statistics of the norms of `layers`. */
function forget(layers: readonly Layer[]): void {
  for (const norm of layers.flatMap((layer) => layer.norms)) norm.statistics = undefined;
}

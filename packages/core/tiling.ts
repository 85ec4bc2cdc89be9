import type { Rectangle, Size } from "@fluxsr/kernels";
import { planTiles, type TilePlan } from "./image/tiles.ts";
import type { Model } from "./model.ts";
import { granularity } from "./restore.ts";
import { defaultOverlap, defaultTile, evenTile } from "./tile_size.ts";

/** The tiles of a picture of `size`; side and overlap are the chosen for the model and adapter unless given. */
export function layTiles(
  model: Model,
  size: Size,
  options: { tile?: number | undefined; tileOverlap?: number | undefined },
): TilePlan {
  const multiple = granularity(model);
  const wanted = options.tile ?? defaultTile(model);
  const largest = Math.max(2 * multiple, Math.floor(wanted / multiple) * multiple);
  const overlap = options.tileOverlap ?? defaultOverlap(largest);
  const { border } = model.settings;
  const tileWidth = evenTile(size.width + 2 * border, { largest, overlap, multiple });
  const tileHeight = evenTile(size.height + 2 * border, { largest, overlap, multiple });
  return planTiles(size, { tileWidth, tileHeight, overlap, multiple, border });
}

/** A tile and its part of the enlarged picture. */
export interface Place {
  readonly index: number;
  readonly column: number;
  readonly row: number;
  readonly window: Rectangle;
}

/** GPU bytes up to which the autoencoder sees all tiles together where no budget says how many there are. */
const SHARED_BYTES = 2 * 2 ** 30;
/** GPU bytes at the peak over those of the autoencoder's widest tensors, measured: pooled buffers of all levels count. */
const LIVE_TENSORS = 5;

/**
 * The tiles in the groups that the autoencoder sees together: its group norms then have the statistics of the whole
 * picture, and tiling hardly changes it. All tiles are one group if they fit and are not to be `apart`, else each is one
 * of its own.
 */
export function shareStatistics(
  plan: TilePlan,
  { autoencoder, gpu: { buffers } }: Model,
  { apart = false }: { apart?: boolean },
): Place[][] {
  const places = plan.tiles.map(({ column, row, x, y }, index) => {
    const [width, height] = [plan.columns[column]?.size ?? 0, plan.rows[row]?.size ?? 0];
    return { index, column, row, window: { top: y, left: x, height, width } };
  });
  const pixels = places.reduce((sum, { window }) => sum + window.height * window.width, 0);
  const allowed = buffers.budget === Infinity ? SHARED_BYTES : buffers.budget - buffers.memory.live;
  const fits = LIVE_TENSORS * 4 * autoencoder.widest * pixels <= allowed;
  return fits && !apart ? [places] : places.map((place) => [place]);
}

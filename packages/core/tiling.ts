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

/** GPU bytes that the autoencoder may take for all tiles where no budget says how many there are. */
const SHARED_BYTES = 2 * 2 ** 30;
/** The part of them that is kept once memory ran out. */
const SCARCE = 1 / 8;
/** GPU bytes at the peak over those of the autoencoder's widest tensors, measured: pooled buffers of all levels count. */
const LIVE_TENSORS = 5;
/** GPU bytes of a pixel before and after the autoencoder. */
const PIXEL_BYTES = 12;

/** How the autoencoder sees the tiles of a picture. */
export interface Sharing {
  /** Those that it sees as one picture: its group norms have the statistics of all of them. */
  readonly groups: readonly (readonly Place[])[];
  /** If they are to pass it one at a time: bytes for what is kept of all of them between its layers. */
  readonly keep: number | undefined;
}

/**
 * All tiles are seen as one picture, so that tiling hardly changes it: together if they fit, otherwise, and if memory is
 * `scarce`, one at a time in more passes. Only of pictures whose pixels alone do not fit each tile is seen for itself.
 */
export function shareStatistics(
  plan: TilePlan,
  { autoencoder, gpu: { buffers } }: Model,
  { scarce = false }: { scarce?: boolean },
): Sharing {
  const places = plan.tiles.map(({ column, row, x, y }, index) => {
    const [width, height] = [plan.columns[column]?.size ?? 0, plan.rows[row]?.size ?? 0];
    return { index, column, row, window: { top: y, left: x, height, width } };
  });
  const [{ window } = { window: { height: 0, width: 0 } }] = places;
  const pixels = window.height * window.width;
  const work = LIVE_TENSORS * 4 * autoencoder.widest * pixels;
  const allowed = buffers.budget === Infinity ? SHARED_BYTES : buffers.budget - buffers.memory.live;
  const fits = work * places.length <= allowed && !scarce;
  if (fits || places.length === 1) return { groups: [places], keep: undefined };
  const room = allowed - PIXEL_BYTES * pixels * places.length;
  if (room < 0) return { groups: places.map((place) => [place]), keep: undefined };
  // Without a budget free buffers are not given back before new ones are made: up to as much again is reserved. And the
  // work on a tile takes nothing of it: a GPU must have room for that in any case.
  const kept = buffers.budget === Infinity ? room / 2 : Math.max(0, room - work);
  return { groups: [places], keep: kept * (scarce ? SCARCE : 1) };
}

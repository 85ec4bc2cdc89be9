import type { Rectangle, Size } from "@fluxsr/kernels";
import { planTiles, type TilePlan } from "./image/tiles.ts";
import type { Model } from "./model.ts";
import { granularity } from "./granularity.ts";
import { defaultOverlap, defaultTile, evenTile } from "./tile_size.ts";

/** The tiles of a picture of `size`; side and overlap are those chosen for the model and adapter unless given. */
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
/** The same where free buffers are given back: what goes into a layer, its norm, and what comes out. */
const LEAST_TENSORS = 3;
/** GPU bytes of a pixel before and after the autoencoder. */
const PIXEL_BYTES = 12;

/** What there is of every tile while one is worked on; in tensors of a latent's size, of which moments are two. */
const OF_ALL = {
  encode: { pixelBytes: PIXEL_BYTES, latents: 3 },
  transformer: { pixelBytes: 0, latents: 1 },
  decode: { pixelBytes: PIXEL_BYTES, latents: 2 },
} as const;

/** GPU bytes of a tile of so many `pixels` that there are of all tiles at once during `stage`, also where they pass one at a time. */
export function bytesOfTile(
  { autoencoder: { factor }, config: { vae } }: Model,
  { pixels, stage }: { pixels: number; stage: keyof typeof OF_ALL },
): number {
  const { pixelBytes, latents } = OF_ALL[stage];
  return pixels * (pixelBytes + latents * 4 * vae.z_channels / factor ** 2);
}

/** Pixels of each tile. */
export function pixelsOf({ columns: [column], rows: [row] }: TilePlan): number {
  return (column?.size ?? 0) * (row?.size ?? 0);
}

/** About how many GPU bytes pictures take, to compare them: for the work on one of the tiles, and of all of them. */
export function demandOf(model: Model, plan: TilePlan): number {
  const pixels = pixelsOf(plan);
  const work = LIVE_TENSORS * 4 * model.autoencoder.widest * pixels;
  return work + plan.tiles.length * bytesOfTile(model, { pixels, stage: "encode" });
}

/** How the autoencoder sees the tiles of a picture. */
export interface Sharing {
  /** Those that it sees as one picture: its group norms have the statistics of all of them. */
  readonly groups: readonly (readonly Place[])[];
  /** If they are to pass it one at a time: bytes for what is kept of all of them between its layers. */
  readonly keep: number | undefined;
}

/**
 * All tiles are seen as one picture, so that tiling hardly changes it: together if they fit, otherwise, and if memory is
 * `scarce`, one at a time in more passes. Only of pictures that do not fit even so, of which without a budget the pixels
 * alone do not, each tile is seen for itself.
 */
export function shareStatistics(plan: TilePlan, model: Model, { scarce = false }: { scarce?: boolean }): Sharing {
  const { autoencoder, gpu: { buffers } } = model;
  const places = plan.tiles.map(({ column, row, x, y }, index) => {
    const [width, height] = [plan.columns[column]?.size ?? 0, plan.rows[row]?.size ?? 0];
    return { index, column, row, window: { top: y, left: x, height, width } };
  });
  const pixels = pixelsOf(plan);
  const widest = 4 * autoencoder.widest * pixels;
  const isLimited = buffers.budget < Infinity;
  const allowed = isLimited ? buffers.budget - buffers.memory.live : SHARED_BYTES;
  const fits = LIVE_TENSORS * widest * places.length <= allowed && !scarce;
  if (fits || places.length === 1) return { groups: [places], keep: undefined };
  const ofEach = isLimited ? bytesOfTile(model, { pixels, stage: "encode" }) : PIXEL_BYTES * pixels;
  const room = allowed - ofEach * places.length;
  if (room < (isLimited ? LEAST_TENSORS * widest : 0)) {
    return { groups: places.map((place) => [place]), keep: undefined };
  }
  // Without a budget free buffers are not given back before new ones are made: up to as much again is reserved. And the
  // work on a tile takes nothing of it: a GPU must have room for that in any case.
  const kept = isLimited ? Math.max(0, room - LIVE_TENSORS * widest) : room / 2;
  return { groups: [places], keep: kept * (scarce ? SCARCE : 1) };
}

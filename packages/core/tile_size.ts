import type { Model } from "./model.ts";

/** The side that FLUX was trained at: larger tiles leave the range of its position ids. */
const LARGEST = 1024;
/** No smaller tile is chosen. */
export const SMALLEST_TILE = 128;

/**
 * The default tile side in pixels of the enlarged picture: 1024, halved until the autoencoder's largest tensor takes at
 * most 60 % of what the adapter allows to bind; no more than the model's own, if it has one.
 */
export function defaultTile({ gpu, autoencoder, settings }: Pick<Model, "gpu" | "autoencoder" | "settings">): number {
  const allowed = 0.6 * Math.min(gpu.device.limits.maxStorageBufferBindingSize, gpu.device.limits.maxBufferSize);
  let tile = LARGEST;
  while (tile > SMALLEST_TILE && tile * tile * autoencoder.widest * 4 > allowed) tile /= 2;
  return Math.min(tile, settings.tile ?? Infinity);
}

/**
 * The default overlap of tiles of `tile` pixels: an eighth, but 64 pixels, which is what it takes for borders not to show,
 * as far as a quarter of the tile allows.
 */
export function defaultOverlap(tile: number): number {
  return Math.floor(Math.max(tile / 8, Math.min(64, tile / 4)));
}

/** The smallest tile side, a multiple of `multiple`, that covers `length` with as few tiles as the largest side does. */
export function evenTile(
  length: number,
  { largest, overlap, multiple }: { largest: number; overlap: number; multiple: number },
): number {
  if (length <= largest) return largest;
  const tiles = (side: number) => Math.ceil((length - side) / (Math.floor((side - overlap) / multiple) * multiple)) + 1;
  let side = largest;
  while (side - multiple > 2 * overlap && tiles(side - multiple) <= tiles(largest)) side -= multiple;
  return side;
}

import {
  affine,
  type Gpu,
  normalNoise,
  read,
  type Rectangle,
  scoped,
  type Size,
  sizeOf,
  type Tensor,
} from "@fluxsr/kernels";
import { adainFix, type ColorFix, waveletFix } from "./color_fix.ts";
import { enlargeAlpha, enlargePart } from "./enlarge.ts";
import { InputError } from "./errors.ts";
import { Canvas } from "./image/canvas.ts";
import type { Picture } from "./image/picture.ts";
import { planTiles, type TilePlan } from "./image/tiles.ts";
import type { Model } from "./model.ts";
import { granularity, restore } from "./restore.ts";
import { defaultOverlap, defaultTile, evenTile } from "./tile_size.ts";

/** Options of {@linkcode upscale}. */
export interface UpscaleOptions {
  /** How many times larger, a whole number from 1 to 8. */
  readonly scale: number;
  readonly colorFix: ColorFix;
  /** Tile side in pixels of the result; default from the adapter's limits. */
  readonly tile?: number | undefined;
  /** Least overlap of tiles in pixels of the result; default an eighth of the tile. */
  readonly tileOverlap?: number | undefined;
  /** Samples the encoder's posterior with this seed; left out, its mean is taken. */
  readonly seed?: number | undefined;
  /** Also return the plain enlargement. */
  readonly compare?: boolean;
  /** Fill `stages`; costs a wait per stage and tile. */
  readonly timed?: boolean;
  /** Called before the first and after each tile. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What {@linkcode upscale} made. */
export interface UpscaleResult {
  readonly picture: Picture;
  /** The bicubic enlargement alone, if `compare` was asked for. */
  readonly enlarged?: Picture;
  readonly tiles: number;
  readonly tile: Size;
  /** Milliseconds per stage, over all tiles, if `timed`. */
  readonly stages: Readonly<Record<string, number>>;
}

/** Share of the free memory that pictures on the host may take. */
const MEMORY_SHARE = 0.6;

/**
 * Enlarges and restores a picture: exactly `scale` times its size, same depth, alpha and EXIF.
 *
 * Tile by tile: bicubic enlargement (mirrored to a whole tile), autoencoder, one transformer call, decoder, colour fix;
 * tiles are blended with feathered overlap on the host, so only one is on the GPU at a time.
 *
 * @throws {InputError} if the result does not fit in memory or the network returns NaN
 * @throws {RangeError} if the scale, tile or overlap is out of range
 */
export async function upscale(model: Model, picture: Picture, options: UpscaleOptions): Promise<UpscaleResult> {
  const { scale, colorFix, compare = false, onProgress = () => {} } = options;
  if (!Number.isInteger(scale) || scale < 1 || scale > 8) {
    throw new RangeError(`Cannot upscale: scale must be a whole number from 1 to 8: it is ${scale}`);
  }
  const { gpu } = model;
  const size = { height: picture.height * scale, width: picture.width * scale };
  const plan = layTiles(model, size, options);
  const needsReference = compare || colorFix === "adain";
  const maxBytes = hostBudget(size, { canvases: needsReference ? 2 : 1 });
  const canvas = new Canvas(plan, { maxBytes });
  const reference = needsReference ? new Canvas(plan, { maxBytes }) : undefined;
  const clock = new StageClock(gpu, options.timed ?? false);
  onProgress(0, plan.tiles.length);
  for (const [index, { column, row }] of plan.tiles.entries()) {
    const window = windowOf(plan, { column, row });
    const tile = await restoreTile(model, { picture, size, window, index }, { options, clock });
    const [restored = new Float32Array(), enlarged = new Float32Array()] = await clock.measure(
      "read",
      () => read(tile.restored, ...(reference ? [tile.enlarged] : [])),
    );
    tile.restored.dispose();
    tile.enlarged.dispose();
    canvas.add(restored, column, row);
    reference?.add(enlarged, column, row);
    onProgress(index + 1, plan.tiles.length);
  }
  const alpha = picture.alpha && await enlargeAlpha(gpu, { picture, alpha: picture.alpha, size });
  gpu.trim();
  const fix = colorFix === "adain" && reference ? adainFix(canvas.meanStd(), reference.meanStd()) : undefined;
  const finished = (rgb: Uint8Array | Uint16Array): Picture => ({
    ...picture,
    ...size,
    rgb,
    ...(alpha ? { alpha } : {}),
  });
  return {
    picture: finished(canvas.finish(picture.depth, fix)),
    ...(compare && reference ? { enlarged: finished(reference.finish(picture.depth)) } : {}),
    tiles: plan.tiles.length,
    tile: { height: plan.rows[0]?.size ?? 0, width: plan.columns[0]?.size ?? 0 },
    stages: clock.stages,
  };
}

function layTiles(model: Model, size: Size, options: UpscaleOptions): TilePlan {
  const multiple = granularity(model);
  const wanted = options.tile ?? defaultTile(model.gpu, model.autoencoder);
  const largest = Math.max(2 * multiple, Math.floor(wanted / multiple) * multiple);
  const overlap = options.tileOverlap ?? defaultOverlap(largest);
  const tileWidth = evenTile(size.width, { largest, overlap, multiple });
  const tileHeight = evenTile(size.height, { largest, overlap, multiple });
  return planTiles(size, { tileWidth, tileHeight, overlap, multiple });
}

function windowOf(plan: TilePlan, { column, row }: { column: number; row: number }): Rectangle {
  const [across, down] = [plan.columns[column], plan.rows[row]];
  if (!across || !down) throw new RangeError(`Cannot upscale: no tile in column ${column}, row ${row}`);
  return { top: down.start, left: across.start, height: down.size, width: across.size };
}

/** Where a tile is: which part `window` of the enlargement of `picture` to `size`. */
interface TilePlace {
  readonly picture: Picture;
  readonly size: Size;
  readonly window: Rectangle;
  readonly index: number;
}

/** One tile, enlarged and restored, both [1, h, w, 3] in about [0, 1]. */
async function restoreTile(
  model: Model,
  { picture, size, window, index }: TilePlace,
  { options: { colorFix, seed }, clock }: { options: UpscaleOptions; clock: StageClock },
): Promise<{ restored: Tensor; enlarged: Tensor }> {
  const { gpu, autoencoder: { factor }, config } = model;
  const latent = [1, window.height / factor, window.width / factor, config.vae.z_channels];
  const enlarged = await clock.measure("enlarge", () => enlargePart(gpu, picture, { size, window }));
  using x = affine(enlarged, { scale: 2, offset: -1 });
  // Tiles take disjoint parts of the noise sequence.
  using noise = seed === undefined ? null : normalNoise(gpu, latent, { seed, offset: index * sizeOf(latent) });
  using x_0hat = await restore(model, x, {
    noise: noise ?? undefined,
    run: (stage, work) => clock.measure(stage, work),
  });
  const restored = await clock.measure("color fix", () =>
    scoped(gpu, () => {
      const y = affine(x_0hat, { scale: 0.5, offset: 0.5 });
      return colorFix === "wavelet" ? waveletFix(y, enlarged) : y;
    }));
  return { restored, enlarged };
}

/** Bytes that one canvas may take, so that all of them and the finished pictures fit in the memory that is free. */
function hostBudget({ height, width }: Size, { canvases }: { canvases: number }): number {
  const { available } = Deno.systemMemoryInfo();
  const finished = 2 * height * width * 3;
  const budget = (MEMORY_SHARE * available - finished) / canvases;
  if (budget <= 0) {
    throw new InputError(
      `Cannot upscale: the result of ${width} x ${height} pixels must fit in memory: ${available} bytes are free`,
      { hint: "use a smaller --scale" },
    );
  }
  return budget;
}

/** Adds up the wall time of stages; a stage ends when the GPU has finished it. */
class StageClock {
  readonly stages: Record<string, number> = {};
  readonly #gpu: Gpu;
  readonly #on: boolean;

  constructor(gpu: Gpu, on: boolean) {
    this.#gpu = gpu;
    this.#on = on;
  }

  async measure<T>(stage: string, work: () => T | Promise<T>): Promise<T> {
    if (!this.#on) return await work();
    const start = performance.now();
    const result = await work();
    await this.#gpu.sync();
    this.stages[stage] = (this.stages[stage] ?? 0) + performance.now() - start;
    return result;
  }
}

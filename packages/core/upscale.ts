import {
  add,
  affine,
  OutOfMemoryError,
  read,
  type Rectangle,
  scoped,
  scopedAsync,
  type Size,
  subtract,
  type Tensor,
} from "@fluxsr/kernels";
import { checkColors } from "./check_colors.ts";
import { adainFix, type ColorFix, waveletFix } from "./color_fix.ts";
import { enlargeAlpha, enlargePart } from "./enlarge.ts";
import { InputError } from "./errors.ts";
import { Canvas } from "./image/canvas.ts";
import type { Picture } from "./image/picture.ts";
import { makeRoom } from "./memory/make_room.ts";
import { recover } from "./memory/recover.ts";
import type { Model } from "./model.ts";
import { granularity } from "./granularity.ts";
import { restoreLatents, type TileLatents } from "./restore_latents.ts";
import { StageClock } from "./stage_clock.ts";
import { TileProgress } from "./tile_progress.ts";
import { defaultOverlap, SMALLEST_TILE } from "./tile_size.ts";
import { layTiles, shareStatistics } from "./tiling.ts";

/** Options of {@linkcode upscale}. */
export interface UpscaleOptions {
  /** How many times larger, a whole number from 1 to 8. */
  readonly scale: number;
  readonly colorFix: ColorFix;
  /** Tile side in pixels of the result; default from the adapter's limits. */
  readonly tile?: number | undefined;
  /** Least overlap of tiles in pixels of the result; default chosen with the tile. */
  readonly tileOverlap?: number | undefined;
  /** Samples the encoder's posterior with this seed; left out, its mean is taken. */
  readonly seed?: number | undefined;
  /** Share of the step that is taken, 0 to 1 (default): less removes less, noise and fine detail alike. */
  readonly strength?: number | undefined;
  /** Also return the plain enlargement. */
  readonly compare?: boolean;
  /** Fill `stages`; costs a wait per stage and tile. */
  readonly timed?: boolean;
  /** Called before the first and after each tile; from 0 again if it begins again with smaller tiles. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Is told in a line what the user should know. */
  readonly onNotice?: (line: string) => void;
}

/** What {@linkcode upscale} made. */
export interface UpscaleResult {
  readonly picture: Picture;
  /** The bicubic enlargement alone, if `compare` was asked for. */
  readonly enlarged?: Picture;
  readonly tiles: number;
  readonly tile: Size;
  /** Whether the autoencoder saw all tiles as one picture; else each for itself. */
  readonly asOne: boolean;
  /** Milliseconds per stage, over all tiles, if `timed`. */
  readonly stages: Readonly<Record<string, number>>;
  /** The most GPU bytes in use at a time of each stage, weights included. */
  readonly stageBytes: Readonly<Record<string, number>>;
}

/** Share of the free memory that pictures on the host may take. */
const MEMORY_SHARE = 0.6;

/**
 * Enlarges and restores a picture: exactly `scale` times its size, same depth, alpha and EXIF; grey stays grey.
 *
 * Tile by tile: bicubic enlargement (mirrored to a whole tile), encoder, one transformer call, decoder (of the latents
 * before it too, for a model with `residual`), colour fix; tiles are blended with feathered overlap on the host. The
 * autoencoder normalises with the statistics of all tiles: together if they fit on the GPU, else one at a time in more
 * passes. If the GPU has not enough memory, it begins again with one tile at a time, then with tiles of half the side.
 *
 * @throws {InputError} if the result does not fit in memory or the network returns NaN
 * @throws {GpuError} if the mean colour is not kept in spite of a colour fix
 * @throws {RangeError} if the scale, strength, tile or overlap is out of range
 */
export async function upscale(model: Model, picture: Picture, options: UpscaleOptions): Promise<UpscaleResult> {
  const { scale, strength = 1 } = options;
  if (!Number.isInteger(scale) || scale < 1 || scale > 8) {
    throw new RangeError(`Cannot upscale: scale must be a whole number from 1 to 8: it is ${scale}`);
  }
  if (!(strength >= 0 && strength <= 1)) {
    throw new RangeError(`Cannot upscale: strength must be from 0 to 1: it is ${strength}`);
  }
  const { gpu } = model;
  for (let tiling: Tiling = options;;) {
    try {
      return await scopedAsync(gpu, () => run(model, picture, { ...options, ...tiling, strength }));
    } catch (error) {
      const smaller = error instanceof OutOfMemoryError && smallerTiling(model, picture, { ...options, ...tiling });
      if (!smaller) throw error;
      const how = smaller.tile === tiling.tile ? "one tile at a time" : `tiles of ${smaller.tile} pixels`;
      options.onNotice?.(`The GPU ran out of memory: trying again with ${how}`);
      await recover(gpu);
      tiling = smaller;
    }
  }
}

/** How a picture is cut; `scarce`: the autoencoder sees one tile at a time. */
type Tiling = Pick<UpscaleOptions, "tile" | "tileOverlap"> & { readonly scarce?: boolean };

/** What takes less memory: tiles one by one if they were not, then of half the side; undefined: too small. */
function smallerTiling(
  model: Model,
  { width, height }: Picture,
  { scale, ...options }: UpscaleOptions & Tiling,
): Tiling | undefined {
  const plan = layTiles(model, { height: height * scale, width: width * scale }, options);
  if (plan.tiles.length > 1 && !options.scarce) {
    return { tile: options.tile, tileOverlap: options.tileOverlap, scarce: true };
  }
  const multiple = granularity(model);
  const tile = Math.ceil(Math.max(plan.rows[0]?.size ?? 0, plan.columns[0]?.size ?? 0) / 2 / multiple) * multiple;
  if (tile < SMALLEST_TILE) return undefined;
  return { tile, tileOverlap: Math.min(options.tileOverlap ?? Infinity, defaultOverlap(tile)), scarce: true };
}

async function run(
  model: Model,
  picture: Picture,
  options: UpscaleOptions & Tiling & { readonly strength: number },
): Promise<UpscaleResult> {
  const { scale, colorFix, seed, strength, compare = false, onProgress = () => {} } = options;
  const { gpu } = model;
  const size = { height: picture.height * scale, width: picture.width * scale };
  const plan = layTiles(model, size, options);
  const needsReference = compare || colorFix === "adain";
  const maxBytes = hostBudget(size, { canvases: needsReference ? 2 : 1 });
  const canvas = new Canvas(plan, { maxBytes });
  const reference = needsReference ? new Canvas(plan, { maxBytes }) : undefined;
  const clock = new StageClock(gpu, options.timed ?? false);
  const progress = new TileProgress(plan.tiles.length, onProgress);
  const enlarge = (window: Rectangle) => clock.measure("enlarge", () => enlargePart(gpu, picture, { size, window }));
  const sharing = shareStatistics(plan, model, options);
  const { groups, keep } = sharing;
  const latents = await restoreLatents(model, { sharing, enlarge, seed, strength, clock, progress });
  await makeRoom(gpu);
  for (const group of groups) {
    const decode = (of: (tile: TileLatents) => Tensor) =>
      clock.measure("decode", () => model.autoencoder.decode(group.map(({ index }) => of(latents[index]!)), { keep }));
    const unchanged = model.settings.residual ? await decode(({ z_L }) => z_L!) : [];
    const decoded = await decode(({ z_0hat }) => z_0hat);
    for (const [i, { window, column, row, index }] of group.entries()) {
      using enlarged = await enlarge(window);
      using D_z_0hat = decoded[i]!;
      using D_z_L = unchanged[i];
      using restored = await clock.measure("color fix", () => pictureValues({ D_z_0hat, D_z_L, enlarged }, colorFix));
      const values = await clock.measure("read", () => read(restored, ...(reference ? [enlarged] : [])));
      canvas.add(values[0] ?? new Float32Array(), column, row);
      reference?.add(values[1] ?? new Float32Array(), column, row);
      latents[index]![Symbol.dispose]();
      await progress.step();
    }
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
  const restored = finished(canvas.finish(picture, fix));
  if (colorFix !== "none") checkColors(picture, restored);
  return {
    picture: restored,
    ...(compare && reference ? { enlarged: finished(reference.finish(picture)) } : {}),
    tiles: plan.tiles.length,
    tile: { height: plan.rows[0]?.size ?? 0, width: plan.columns[0]?.size ?? 0 },
    asOne: groups.length === 1,
    stages: clock.stages,
    stageBytes: clock.bytes,
  };
}

/**
 * What is decoded, [-1, 1], as picture values, [0, 1], with the colours of `enlarged`; all [1, h, w, 3].
 *
 * With `D_z_L` the enlarged picture and what the one step changes of it, `x_L + D(z_0hat) - D(z_L)`: what the autoencoder
 * gets wrong of both alike, fine detail above all, cancels out, and a step that changes nothing returns `x_L`.
 */
function pictureValues(
  { D_z_0hat, D_z_L, enlarged }: { D_z_0hat: Tensor; D_z_L: Tensor | undefined; enlarged: Tensor },
  colorFix: ColorFix,
): Tensor {
  return scoped(enlarged.gpu, () => {
    const x = D_z_L
      ? add(enlarged, affine(subtract(D_z_0hat, D_z_L), { scale: 0.5 }))
      : affine(D_z_0hat, { scale: 0.5, offset: 0.5 });
    return colorFix === "wavelet" ? waveletFix(x, enlarged) : x;
  });
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

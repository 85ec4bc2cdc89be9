import { DryGpu, type Gpu, OutOfMemoryError, type Size, sizeOf } from "@fluxsr/kernels";
import type { Picture } from "./image/picture.ts";
import type { TilePlan } from "./image/tiles.ts";
import type { AdapterFolder } from "./lora/adapter_folder.ts";
import type { PlannedBlocks } from "./memory/block_stream.ts";
import { loadModel, type LoadOptions, type Model } from "./model.ts";
import type { Module } from "./nn/module.ts";
import { defaultOverlap, defaultTile } from "./tile_size.ts";
import { bytesOfTile, demandOf, layTiles, pixelsOf } from "./tiling.ts";
import { upscale, type UpscaleOptions } from "./upscale.ts";

/** What an upscale takes. Bytes are those of GPU buffers as the pool hands them out. */
export interface UpscalePlan {
  readonly model: { readonly name: string; readonly path: string };
  /** Elements of the networks. */
  readonly parameters: { readonly transformer: number; readonly autoencoder: number };
  /** What stays on the GPU from picture to picture. */
  readonly loaded: { readonly transformer: number; readonly autoencoder: number; readonly text: number };
  /** Of the transformer. */
  readonly blocks: PlannedBlocks;
  readonly picture: Size;
  readonly tile: Size;
  readonly tiles: number;
  /** The side of tiles that the plan was made with. */
  readonly tileSide: number;
  /** The one asked for, or else the default; larger than `tileSide` where that does not fit the budget. */
  readonly wantedTile: number;
  /** Their least overlap where it was given; undefined: the default's. */
  readonly tileOverlap: number | undefined;
  /** By stage, the most in use at a time beside what stays. */
  readonly stages: Readonly<Record<string, number>>;
  /** The most in use at a time. */
  readonly usedBytes: number;
  /** The most reserved at a time: what is kept for reuse counts too. */
  readonly peakBytes: number;
  /** Of matrix products, convolutions and attention. */
  readonly flops: number;
}

/** What is upscaled. */
export interface DryWork
  extends Pick<LoadOptions, "precision">, Pick<UpscaleOptions, "scale" | "tile" | "tileOverlap" | "seed"> {
  /** A model folder. */
  readonly model: string;
  readonly lora: AdapterFolder | false;
  /** Of the pictures to enlarge: the one that takes the most is; none: one that fills a tile. */
  readonly sizes: readonly Size[];
}

/** How it is tried. */
export interface Attempt {
  /** How many blocks of the transformer stay; all, if left out. */
  readonly residentBlocks?: number;
  /** The side of tiles; left out, the one asked for. */
  readonly tile?: number | undefined;
  /** The most bytes that the GPU may hold; left out, as many as it takes. */
  readonly budget?: number;
  /** The autoencoder must see all tiles as one picture. */
  readonly asOne?: boolean;
  /** Only the first tile of the picture. */
  readonly oneTile?: boolean;
}

/** What was tried. */
export interface Tried {
  readonly plan: UpscalePlan;
  /** Bytes of each block of the transformer. */
  readonly blockBytes: readonly number[];
  /**
   * If one tile was tried: about what is in use at most with all of the picture, of which one at a time passes the
   * autoencoder; `together` if it sees them as one picture, `apart` if each for itself.
   */
  readonly least: { readonly together: number; readonly apart: number };
}

/** Runs an upscale on a GPU that only counts. @throws {OutOfMemoryError} if it does not fit the budget as it is tried */
export async function dryUpscale(
  gpu: Gpu,
  { model: directory, lora, precision = "auto", sizes, ...asked }: DryWork,
  { residentBlocks, tile = asked.tile, budget = Infinity, asOne = false, oneTile = false }: Attempt,
): Promise<Tried> {
  using dry = DryGpu.like(gpu);
  dry.buffers.budget = budget;
  using model = await loadModel(dry, directory, { lora, precision, fold: true, residentBlocks });
  const { autoencoder, mmdit, blocks, conditioning } = model;
  const wantedTile = asked.tile ?? defaultTile(model);
  const tileSide = tile ?? wantedTile;
  const tileOverlap = tileSide < wantedTile && asked.tileOverlap !== undefined
    ? Math.min(asked.tileOverlap, defaultOverlap(tileSide))
    : asked.tileOverlap;
  const options = { scale: asked.scale, tile: tileSide, tileOverlap };
  const { picture, tilePlan } = mostDemanding(model, sizes, options);
  const held = dry.memory.live;
  const text = conditioning.txt.buffer.size + conditioning.y.buffer.size;
  const loaded = { transformer: held - text - heldBy(autoencoder), autoencoder: heldBy(autoencoder), text };
  const onNotice = (line: string) => {
    if (budget < Infinity) throw new OutOfMemoryError(line);
  };
  const enlarged = oneTile ? pictureOfOneTile(model, tilePlan, options) : picture;
  const { stageBytes, tile: size, ...result } = await upscale(model, blank(enlarged), {
    ...options,
    seed: asked.seed,
    colorFix: "wavelet",
    onNotice,
  });
  if (asOne && !result.asOne) throw new OutOfMemoryError("Cannot keep what there is of all tiles: it has no room");
  const plan: UpscalePlan = {
    model: { name: model.name, path: model.path },
    parameters: { transformer: elements(mmdit), autoencoder: elements(autoencoder) },
    loaded,
    blocks: blocks.planned,
    picture,
    tile: size,
    tiles: tilePlan.tiles.length,
    tileSide,
    wantedTile,
    tileOverlap,
    stages: Object.fromEntries(Object.entries(stageBytes).map(([stage, bytes]) => [stage, bytes - held])),
    usedBytes: Math.max(...Object.values(stageBytes)),
    peakBytes: dry.memory.peak,
    flops: dry.flops,
  };
  return { plan, blockBytes: blocks.sizes, least: leastOf(model, tilePlan, stageBytes) };
}

/** The picture that takes the most, and its tiles. */
function mostDemanding(
  model: Model,
  sizes: readonly Size[],
  { scale, ...options }: { scale: number; tile: number; tileOverlap: number | undefined },
): { picture: Size; tilePlan: TilePlan } {
  const side = Math.ceil(options.tile / scale);
  const pictures = sizes.length > 0 ? sizes : [{ height: side, width: side }];
  const laid = pictures.map((picture) => {
    const tilePlan = layTiles(model, { height: picture.height * scale, width: picture.width * scale }, options);
    return { picture, tilePlan, demand: demandOf(model, tilePlan) };
  });
  return laid.reduce((most, each) => each.demand > most.demand ? each : most);
}

/** A picture that is one tile of those of `plan`. */
function pictureOfOneTile(
  { settings: { border } }: Model,
  { rows: [row], columns: [column] }: TilePlan,
  { scale }: { scale: number },
): Size {
  const source = (length = 0) => Math.max(1, Math.floor((length - 2 * border) / scale));
  return { height: source(row?.size), width: source(column?.size) };
}

/** See {@linkcode Tried.least}; of one tile it is known what each stage takes. */
function leastOf(model: Model, plan: TilePlan, stages: Readonly<Record<string, number>>): Tried["least"] {
  const [pixels, others] = [pixelsOf(plan), plan.tiles.length - 1];
  const ofOthers = (stage: Parameters<typeof bytesOfTile>[1]["stage"]) =>
    others * bytesOfTile(model, { pixels, stage });
  const most = Math.max(...Object.values(stages));
  const held = (["encode", "transformer", "decode"] as const).map((stage) => (stages[stage] ?? 0) + ofOthers(stage));
  return { together: Math.max(most, ...held), apart: most + ofOthers("transformer") };
}

/** Bytes on the GPU of the weights of `module`. */
function heldBy(module: Module): number {
  return [...module.parameters()].flatMap(([, { parts }]) => parts).reduce((sum, { buffer }) => sum + buffer.size, 0);
}

function elements(module: Module): number {
  return [...module.parameters()].reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
}

function blank({ height, width }: Size): Picture {
  return { height, width, depth: 8, rgb: new Uint8Array(height * width * 3), grey: false, notes: [] };
}

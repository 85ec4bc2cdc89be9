import { DryGpu, type Gpu, OutOfMemoryError, type Size } from "@fluxsr/kernels";
import type { PlannedBlocks } from "./memory/block_stream.ts";
import { InputError } from "./errors.ts";
import type { Picture } from "./image/picture.ts";
import { adapterOf, loadModel, type LoadOptions } from "./model.ts";
import type { Module } from "./nn/module.ts";
import { withMostBlocks } from "./memory/resident_blocks.ts";
import { defaultTile, SMALLEST_TILE } from "./tile_size.ts";
import { upscale, type UpscaleOptions } from "./upscale.ts";
import type { AdapterFolder } from "./lora/adapter_folder.ts";
import { openModelFolder } from "./model_folder/model_folder.ts";

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
  /** By stage, the most in use at a time beside what stays. */
  readonly stages: Readonly<Record<string, number>>;
  /** The most in use at a time. */
  readonly usedBytes: number;
  /** The most reserved at a time: what is kept for reuse counts too. */
  readonly peakBytes: number;
  /** Of matrix products, convolutions and attention. */
  readonly flops: number;
}

/** Options of {@linkcode planUpscale}. */
export interface PlanOptions
  extends Pick<LoadOptions, "lora" | "precision">, Pick<UpscaleOptions, "scale" | "tile" | "tileOverlap"> {
  /** A model folder. */
  readonly model: string;
  /** Of the picture to enlarge; left out, one that fills a tile. */
  readonly size?: Size | undefined;
  /** The most bytes that the GPU may hold; left out, as many as it takes. */
  readonly budget?: number | undefined;
}

/** What is tried: how many blocks stay (all, if left out), and how the picture is cut. */
interface Attempt {
  readonly residentBlocks?: number;
  readonly tile?: number | undefined;
  readonly budget?: number;
}

/** A plan that was tried, and the bytes of each block of the transformer. */
type Tried = UpscalePlan & { readonly blockBytes: readonly number[] };

/**
 * Plans an upscale on `gpu` without allocating or loading anything: the same code runs on a GPU that only counts.
 *
 * Within a budget as many blocks of the transformer stay as have room beside the work on a tile; the rest are loaded each
 * time that they are needed. If there is not even room for one at a time, tiles are halved.
 *
 * @throws {InputError} if the model cannot be used, or the smallest tile does not fit the budget
 */
export async function planUpscale(gpu: Gpu, options: PlanOptions): Promise<UpscalePlan> {
  const { budget = Infinity } = options;
  const lora = await openLora(options);
  const attempt = (each: Attempt) => dryRun(gpu, { ...options, lora }, each);
  const whole = await attempt({ tile: options.tile });
  if (whole.peakBytes <= budget) return await roomy(attempt, { whole, tile: options.tile, budget });
  let least = whole.usedBytes;
  for (let tile = whole.tileSide; tile === whole.tileSide || tile >= SMALLEST_TILE; tile = Math.floor(tile / 2)) {
    const fitted = await fit(attempt, { whole, tile, budget });
    if (typeof fitted !== "number") return fitted;
    least = fitted;
  }
  throw new InputError(
    `Cannot upscale within ${budget} bytes of GPU memory: with the smallest tiles and one block at a time ` +
      `${least} are in use`,
    { hint: "raise --max-vram" },
  );
}

/** The plan where all blocks stay: of several tiles more are seen at once than without a budget, if it has room for more. */
async function roomy(
  attempt: (each: Attempt) => Promise<Tried>,
  { whole, tile, budget }: { whole: Tried; tile: number | undefined; budget: number },
): Promise<Tried> {
  if (budget === Infinity || whole.tiles === 1) return whole;
  try {
    return await attempt({ tile, budget });
  } catch (error) {
    if (error instanceof OutOfMemoryError) return whole;
    throw error;
  }
}

/** The plan with the most blocks that stay within the budget, or if there is none the bytes that would be needed. */
async function fit(
  attempt: (each: Attempt) => Promise<Tried>,
  { whole, tile, budget }: { whole: Tried; tile: number; budget: number },
): Promise<Tried | number> {
  const { usedBytes } = await attempt({ tile, residentBlocks: 0 });
  const within = (residentBlocks: number) => attempt({ tile, residentBlocks, budget });
  if (usedBytes > budget) return usedBytes;
  return await withMostBlocks(within, { sizes: whole.blockBytes, room: budget - usedBytes }) ?? usedBytes;
}

/** The LoRA that plans are made with, to read it once for several; false: none. */
export async function openLora(
  { model, lora }: Pick<PlanOptions, "model" | "lora">,
): Promise<AdapterFolder | false> {
  using folder = await openModelFolder(model);
  return await adapterOf(folder, { lora }) ?? false;
}

/** Runs an upscale on a GPU that only counts. @throws {OutOfMemoryError} if it does not fit the budget */
async function dryRun(
  gpu: Gpu,
  { model: directory, lora, precision = "auto", size, scale, tileOverlap }: PlanOptions,
  { residentBlocks, tile, budget = Infinity }: Attempt,
): Promise<Tried> {
  using dry = DryGpu.like(gpu);
  dry.buffers.budget = budget;
  using model = await loadModel(dry, directory, { lora, precision, fold: true, residentBlocks });
  const { autoencoder, mmdit, blocks, conditioning } = model;
  const tileSide = tile ?? defaultTile(model);
  const picture = size ?? { height: Math.ceil(tileSide / scale), width: Math.ceil(tileSide / scale) };
  const held = dry.memory.live;
  const text = conditioning.txt.buffer.size + conditioning.y.buffer.size;
  const loaded = { transformer: held - text - heldBy(autoencoder), autoencoder: heldBy(autoencoder), text };
  const onNotice = (line: string) => {
    if (budget < Infinity) throw new OutOfMemoryError(line);
  };
  const result = await upscale(model, blank(picture), { scale, tile, tileOverlap, colorFix: "wavelet", onNotice });
  return {
    model: { name: model.name, path: model.path },
    parameters: { transformer: elements(mmdit), autoencoder: elements(autoencoder) },
    loaded,
    blocks: blocks.planned,
    blockBytes: blocks.sizes,
    picture,
    tile: result.tile,
    tiles: result.tiles,
    tileSide,
    stages: Object.fromEntries(Object.entries(result.stageBytes).map(([stage, bytes]) => [stage, bytes - held])),
    usedBytes: Math.max(...Object.values(result.stageBytes)),
    peakBytes: dry.memory.peak,
    flops: dry.flops,
  };
}

/** Bytes on the GPU of the weights of `module`. */
function heldBy(module: Module): number {
  return [...module.parameters()].flatMap(([, { parts }]) => parts).reduce((sum, { buffer }) => sum + buffer.size, 0);
}

function elements(module: Module): number {
  return [...module.parameters()].reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

function blank({ height, width }: Size): Picture {
  return { height, width, depth: 8, rgb: new Uint8Array(height * width * 3), grey: false, notes: [] };
}

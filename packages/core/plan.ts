import type { Gpu, Size } from "@fluxsr/kernels";
import { type Attempt, dryUpscale, type Tried, type UpscalePlan } from "./dry_upscale.ts";
import { OverBudgetError } from "./errors.ts";
import { byteSize } from "./memory/byte_size.ts";
import { adapterOf, type LoadOptions } from "./model.ts";
import { withMostBlocks } from "./memory/resident_blocks.ts";
import { SMALLEST_TILE } from "./tile_size.ts";
import type { UpscaleOptions } from "./upscale.ts";
import type { AdapterFolder } from "./lora/adapter_folder.ts";
import { openModelFolder } from "./model_folder/model_folder.ts";

/** Options of {@linkcode planUpscale}. */
export interface PlanOptions
  extends Pick<LoadOptions, "lora" | "precision">, Pick<UpscaleOptions, "scale" | "tile" | "tileOverlap" | "seed"> {
  /** A model folder. */
  readonly model: string;
  /** Of the pictures to enlarge: the plan is for the one that takes the most; left out or none, for one that fills a tile. */
  readonly sizes?: readonly Size[] | undefined;
  /** The most bytes that the GPU may hold; left out, as many as it takes. */
  readonly budget?: number | undefined;
}

/** Tries an upscale in a certain way. @throws {OutOfMemoryError} if it does not fit the budget */
type Try = (attempt: Attempt) => Promise<Tried>;

/** By how much more is tried where the bytes that would do are not known exactly. */
const STEP = 1.02;

/**
 * Plans an upscale on `gpu` without allocating or loading anything: the same code runs on a GPU that only counts.
 *
 * Within a budget as many blocks of the transformer stay as have room beside the picture and the work on a tile; the rest
 * are loaded each time that they are needed. If there is not even room for one at a time, tiles are halved.
 *
 * @throws {OverBudgetError} if the smallest tiles do not fit the budget
 * @throws {InputError} if the model cannot be used
 */
export async function planUpscale(gpu: Gpu, options: PlanOptions): Promise<UpscalePlan> {
  const { budget = Infinity, sizes = [] } = options;
  const work = { ...options, sizes, lora: await openLora(options) };
  const attempt: Try = (each) => dryUpscale(gpu, work, each);
  if (budget === Infinity) return (await attempt({})).plan;
  for (let tile = options.tile;;) {
    const one = await attempt({ tile, residentBlocks: 0, oneTile: true });
    const fitted = await fit(attempt, { one, budget });
    if (fitted) return fitted.plan;
    tile = Math.floor(one.plan.tileSide / 2);
    if (tile < SMALLEST_TILE) throw await refusal(attempt, { one, budget });
  }
}

/**
 * The plan with the most blocks that stay within the budget, of those where the picture is the same as without one if
 * there are any; undefined: not even one block at a time has room.
 */
async function fit(
  attempt: Try,
  { one: { plan: { tileSide: tile, tiles }, least, blockBytes: sizes }, budget }: { one: Tried; budget: number },
): Promise<Tried | undefined> {
  const most = async (leastBytes: number, asOne: boolean) => {
    const room = budget - leastBytes;
    if (room < 0) return undefined;
    return await withMostBlocks((residentBlocks) => attempt({ tile, residentBlocks, budget, asOne }), { sizes, room });
  };
  const same = await most(least.together, true);
  return same || tiles === 1 ? same : await most(least.apart, false);
}

/** Says what would do. */
async function refusal(
  attempt: Try,
  { one: { plan: { picture, tileSide: tile }, least }, budget }: { one: Tried; budget: number },
): Promise<OverBudgetError> {
  let neededBytes = 0;
  const enough = (bytes: number) => {
    neededBytes = Math.ceil(bytes / 1e6) * 1e6;
    return withMostBlocks((residentBlocks) => attempt({ tile, residentBlocks, budget: neededBytes }), {
      sizes: [], // so that none is to stay
      room: 0,
    });
  };
  for (let bytes = Math.max(least.apart, budget); !await enough(bytes);) bytes = neededBytes * STEP;
  return new OverBudgetError(
    `Cannot upscale ${picture.width} x ${picture.height} pixels within ${
      byteSize(budget)
    } of GPU memory: it must hold ` +
      `the work on a tile of ${tile} pixels and one block at a time: they take ${byteSize(neededBytes)}`,
    { neededBytes, instead: "use a smaller --tile" },
  );
}

/** The LoRA that plans are made with, to read it once for several; false: none. */
export async function openLora(
  { model, lora }: Pick<PlanOptions, "model" | "lora">,
): Promise<AdapterFolder | false> {
  using folder = await openModelFolder(model);
  return await adapterOf(folder, { lora }) ?? false;
}

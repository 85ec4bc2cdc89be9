import { byteSize, type Model, OverBudgetError, ranOutNotice, smallerBudget, type UpscalePlan } from "@fluxsr/core";
import { type Gpu, OutOfMemoryError, type Size } from "@fluxsr/kernels";
import { ofBlocks, ofTiles } from "./_plan_table.ts";
import type { Progress } from "./_progress.ts";
import type { UpscaleDeps, UpscaleRequest } from "./_upscale_request.ts";

/** A model, and how pictures are cut so that there is room beside it. */
export interface Loaded {
  readonly model: Model;
  /** The side of tiles; undefined: the default's. */
  readonly tile: number | undefined;
  readonly tileOverlap: number | undefined;
  /** Whether there is room for all pictures, not for the next one only. */
  readonly isForAll: boolean;
}

/** Who does the work, what on, and who hears of it. */
interface Options {
  readonly deps: Pick<UpscaleDeps, "host" | "loadModel" | "planUpscale">;
  readonly progress: Progress;
  /** Prints a line. */
  readonly say: (line: string) => void;
  /** The sizes of all pictures as far as they are known, and that of the next one. */
  readonly sizes: () => Promise<{ readonly all: readonly Size[]; readonly next: Size }>;
}

/** Loads the model within `--max-vram`, or without it, as {@linkcode loadWithLess} has it, within what there is. */
export async function loadForUpscale(gpu: Gpu, request: UpscaleRequest, options: Options): Promise<Loaded> {
  const { maxVram: budget, tile, tileOverlap } = request;
  if (budget !== undefined) return await loadWithin(gpu, { request, budget, options });
  try {
    return { model: await load(gpu, { request, options }), tile, tileOverlap, isForAll: true };
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    return await loadWithLess(gpu, request, options);
  }
}

/**
 * Loads the model after the GPU ran out of memory, which has told how much there is: within that, and if it runs out again
 * within less.
 * @throws {InputError} if that is less than what would do
 */
export async function loadWithLess(gpu: Gpu, request: UpscaleRequest, options: Options): Promise<Loaded> {
  for (;;) {
    const budget = await smallerBudget(gpu);
    options.say(ranOutNotice(budget));
    try {
      return await loadWithin(gpu, { request, budget, options });
    } catch (error) {
      if (error instanceof OutOfMemoryError) continue;
      gpu.buffers.budget = Infinity; // the next picture may be smaller
      throw error instanceof OverBudgetError ? error.ofWholeGpu() : error;
    }
  }
}

async function loadWithin(
  gpu: Gpu,
  { request, budget, options }: { request: UpscaleRequest; budget: number; options: Options },
): Promise<Loaded> {
  const { plan, isForAll } = await planWithin(gpu, { request, budget, options });
  gpu.buffers.budget = budget;
  const { blocks, tileSide, wantedTile, tileOverlap } = plan;
  if (blocks.streamedBytes > 0) options.say(`Within ${byteSize(budget)}: ${ofBlocks(blocks)}`);
  if (tileSide < wantedTile) options.say(`Within ${byteSize(budget)}: tiles of ${ofTiles(plan)}`);
  const model = await load(gpu, { request, residentBlocks: blocks.resident, options });
  return { model, tile: tileSide, tileOverlap, isForAll };
}

/** The plan for all pictures, or if there is no room for one of them for the next. @throws {OverBudgetError} if there is none for that */
async function planWithin(
  gpu: Gpu,
  { request, budget, options: { deps, sizes } }: { request: UpscaleRequest; budget: number; options: Options },
): Promise<{ plan: UpscalePlan; isForAll: boolean }> {
  const { all, next } = await sizes();
  const { model, lora, precision, scale, tile, tileOverlap, seed } = request;
  const plan = (sizes: readonly Size[]) =>
    deps.planUpscale(gpu, { model, lora, precision, scale, tile, tileOverlap, seed, sizes, budget });
  try {
    return { plan: await plan(all), isForAll: true };
  } catch (error) {
    if (!(error instanceof OverBudgetError) || all.length === 1) throw error;
    return { plan: await plan([next]), isForAll: false };
  }
}

async function load(
  gpu: Gpu,
  {
    request: { model: directory, lora, precision },
    residentBlocks,
    options: { deps: { host, loadModel }, progress, say },
  }: {
    request: UpscaleRequest;
    residentBlocks?: number;
    options: Options;
  },
): Promise<Model> {
  const start = host.now();
  let loaded = 0;
  const onProgress = (bytes: number, total: number) => {
    loaded = bytes;
    progress.loading(bytes, total);
  };
  const model = await loadModel(gpu, directory, { precision, lora, fold: true, residentBlocks, onProgress });
  const seconds = (host.now() - start) / 1000;
  if (loaded >= 1e9) {
    say(`Loaded ${byteSize(loaded)} in ${seconds.toFixed(1)} s, ${(loaded / 1e9 / seconds).toFixed(2)} GB/s`);
  }
  for (const note of model.notes) say(`Note: ${note}`);
  return model;
}

import { type Model, smallerBudget } from "@fluxsr/core";
import { type Gpu, OutOfMemoryError } from "@fluxsr/kernels";
import { ofBlocks, size } from "./_plan_table.ts";
import type { Progress } from "./_progress.ts";
import type { UpscaleDeps, UpscaleRequest } from "./_upscale_request.ts";

/** A model, and the side of tiles that it has room for beside it; undefined: the default's. */
export interface Loaded {
  readonly model: Model;
  readonly tile: number | undefined;
}

/** Who does the work, and who hears of it. */
interface Options {
  readonly deps: Pick<UpscaleDeps, "host" | "loadModel" | "planUpscale">;
  readonly progress: Progress;
  /** Prints a line. */
  readonly say: (line: string) => void;
}

/** Loads the model within `--max-vram`, or without it, as {@linkcode loadWithLess} has it, within what there is. */
export async function loadForUpscale(gpu: Gpu, request: UpscaleRequest, options: Options): Promise<Loaded> {
  if (request.maxVram !== undefined) return await loadWithin(gpu, { request, budget: request.maxVram, options });
  try {
    return { model: await load(gpu, { request, options }), tile: request.tile };
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
    options.say(`The GPU ran out of memory: going on within ${size(budget)}, as with --max-vram`);
    try {
      return await loadWithin(gpu, { request, budget, options });
    } catch (error) {
      if (error instanceof OutOfMemoryError) continue;
      gpu.buffers.budget = Infinity; // the next picture may be smaller
      throw error;
    }
  }
}

async function loadWithin(
  gpu: Gpu,
  { request, budget, options }: { request: UpscaleRequest; budget: number; options: Options },
): Promise<Loaded> {
  const { model, lora, precision, scale, tile, tileOverlap } = request;
  const plan = await options.deps.planUpscale(gpu, { model, lora, precision, scale, tile, tileOverlap, budget });
  gpu.buffers.budget = budget;
  if (plan.blocks.streamedBytes > 0) options.say(`Within ${size(budget)}: ${ofBlocks(plan.blocks)}`);
  const residentBlocks = plan.blocks.resident;
  return { model: await load(gpu, { request, residentBlocks, options }), tile: plan.tileSide };
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
    say(`Loaded ${size(loaded)} in ${seconds.toFixed(1)} s, ${(loaded / 1e9 / seconds).toFixed(2)} GB/s`);
  }
  for (const note of model.notes) say(`Note: ${note}`);
  return model;
}

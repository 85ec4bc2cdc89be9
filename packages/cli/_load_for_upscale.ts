import type { Model } from "@fluxsr/core";
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

/** The share of what was held when the GPU ran out of memory that is gone on with: uploads run ahead of the refusal. */
const SHARE = 0.85;

/**
 * Loads the model within `--max-vram`. Without it, a GPU that runs out of memory has told how much there is: the model
 * is then loaded within that.
 */
export async function loadForUpscale(gpu: Gpu, request: UpscaleRequest, options: Options): Promise<Loaded> {
  if (request.maxVram !== undefined) return await loadWithin(gpu, { request, budget: request.maxVram, options });
  try {
    return { model: await load(gpu, { request, options }), tile: request.tile };
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    const budget = Math.floor(SHARE * gpu.memory.peak);
    options.say(`The GPU ran out of memory: going on within ${size(budget)}, as with --max-vram`);
    await gpu.sync().catch(() => {}); // what else failed for the same reason; a device that is lost says so again
    gpu.trim();
    return await loadWithin(gpu, { request, budget, options });
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

import { openLora } from "@fluxsr/core";
import { report } from "./_errors.ts";
import { findInputs, nothingFound } from "./_inputs.ts";
import { planText } from "./_plan_table.ts";
import { planCards } from "./_plans.ts";
import { sizesOf } from "./_sizes.ts";
import type { UpscaleDeps, UpscaleRequest } from "./_upscale_request.ts";

/**
 * Prints what upscaling takes for the one of the inputs that takes the most, as the run plans too, and allocates and
 * writes nothing.
 *
 * @returns The exit code: 0, 1 if some inputs are no pictures, 2 if nothing was found
 * @throws {InputError} if the model cannot be used, or that picture does not fit within `--max-vram`
 */
export async function runPlan(
  request: UpscaleRequest,
  { host, openGpu, planUpscale, pictureSize: sizeOf }: Pick<
    UpscaleDeps,
    "host" | "openGpu" | "planUpscale" | "pictureSize"
  >,
): Promise<number> {
  const { model, lora, precision, scale, tile, tileOverlap, seed, maxVram: budget } = request;
  const { inputs } = await findInputs(request.inputs);
  const onError = (error: unknown) => report(error, { host, debug: request.debug ?? false });
  const sizes = await sizesOf(inputs, { sizeOf, onError });
  const code = sizes.length === inputs.length ? 0 : nothingFound(inputs) ? 2 : 1;
  if (sizes.length === 0) return code;
  using gpu = await openGpu();
  const adapter = lora === undefined ? undefined : await openLora({ model, lora });
  const options = { model, lora: adapter, precision, scale, tile, tileOverlap, seed };
  const plan = await planUpscale(gpu, { ...options, sizes, budget });
  const cards = await planCards(gpu, { options, plan: planUpscale, whole: await planUpscale(gpu, options) });
  host.out(request.json ? `${JSON.stringify({ plan, cards }, null, 2)}\n` : planText(plan, cards));
  return code;
}

import { openLora, pictureSize } from "@fluxsr/core";
import type { Size } from "@fluxsr/kernels";
import { report } from "./_errors.ts";
import { findInputs } from "./_inputs.ts";
import { planText } from "./_plan_table.ts";
import { planCards } from "./_plans.ts";
import type { UpscaleDeps, UpscaleRequest } from "./_upscale_request.ts";

/**
 * Prints what upscaling the largest of the inputs takes, and allocates and writes nothing.
 *
 * @returns The exit code: 0, or 1 if no input is a picture
 * @throws {InputError} if the model cannot be used, or does not fit within `--max-vram`
 */
export async function runPlan(
  request: UpscaleRequest,
  { host, openGpu, planUpscale }: Pick<UpscaleDeps, "host" | "openGpu" | "planUpscale">,
): Promise<number> {
  const { model, lora, precision, scale, tile, tileOverlap, maxVram: budget } = request;
  const { inputs } = await findInputs(request.inputs);
  const sizes: Size[] = [];
  for (const input of inputs) {
    try {
      if (input.error) throw input.error;
      sizes.push(await pictureSize(input.path));
    } catch (error) {
      report(error, { host, debug: request.debug ?? false });
    }
  }
  const area = ({ height, width }: Size) => height * width;
  const [size] = sizes.toSorted((a, b) => area(b) - area(a));
  if (!size) return 1;
  using gpu = await openGpu();
  const adapter = lora === undefined ? undefined : await openLora({ model, lora });
  const options = { model, lora: adapter, precision, scale, tile, tileOverlap };
  const plan = await planUpscale(gpu, { ...options, size, budget });
  const cards = await planCards(gpu, { options, plan: planUpscale, whole: await planUpscale(gpu, options) });
  host.out(request.json ? `${JSON.stringify({ plan, cards }, null, 2)}\n` : planText(plan, cards));
  return 0;
}

import { type Gpu, openGpu, type OpenOptions, type Provider, PROVIDERS } from "@fluxsr/kernels";
import { type Command, Option } from "commander";
import { oneOf } from "./_options.ts";
import { applyTuning } from "./_tuning.ts";

/** The option `--gpu`, which says what every command computes with. */
export function gpuOption(): Option {
  return new Option("--gpu <kind>", "WebGPU implementation: Deno's own, or Dawn, which knows matrix units")
    .choices(PROVIDERS).default("deno").env("FLUXSR_GPU").argParser(oneOf("--gpu", PROVIDERS));
}

/** Opens the GPU that the command line of `command` chooses, tuned as it was measured here. */
export async function openChosenGpu(
  command: Command,
  { matrices = false }: Pick<OpenOptions, "matrices"> = {},
): Promise<Gpu> {
  const gpu = await openGpu({ provider: command.optsWithGlobals<{ gpu?: Provider }>().gpu, matrices });
  await applyTuning(gpu);
  return gpu;
}

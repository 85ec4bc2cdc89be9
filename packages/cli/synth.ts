import {
  Autoencoder,
  type AutoencoderConfig,
  BUNDLED_MODEL,
  FLUX_AUTOENCODER,
  FLUX_DEV,
  type Layout,
  Mmdit,
  type MmditConfig,
  modelBytes,
  openModelFolder,
  writeJson,
  writeModel,
} from "@fluxsr/core";
import { type Command, Option } from "commander";
import { join } from "node:path";
import { ByteProgress } from "./_byte_progress.ts";
import type { Host } from "./_host.ts";
import { LAYOUTS, sizeInBytes } from "./_model_options.ts";
import { fillNewFolder } from "./_new_folder.ts";
import { oneOf, path, wholeNumber } from "./_options.ts";
import { type SyntheticDtype, syntheticRows } from "./_synthetic_rows.ts";

const PRESETS = ["flux1-dev", "nano"] as const;
const DTYPES = ["bf16", "f16", "f32"] as const;

/** What the user asked for. */
export interface SynthRequest {
  readonly preset: typeof PRESETS[number];
  /** Double blocks, single blocks; those of the preset if not given. */
  readonly depth?: number;
  readonly single?: number;
  readonly layout: Layout;
  /** That of FLUX.1-dev if not given: bf16, the autoencoder of the BFL layout f32. */
  readonly dtype?: typeof DTYPES[number];
  readonly seed: number;
  readonly shardSize: number;
  readonly output: string;
  readonly overwrite?: boolean;
}

const MORE = `
The names, shapes, dtypes and files are those of the real model, the values are not: what it makes of a picture is
noise. It is for measuring time and memory, and for trying out loading, without a download.

Examples:
  deno task synth -o /data/synthetic                                  24 GB, in three shards
  deno task synth --depth 2 --single 2 --layout bfl -o small          full width, 2.4 GB`;

/** Adds the command `synth`: a model of random weights. */
export function registerSynth(
  program: Command,
  { host, run = runSynth }: { host: Host; run?: typeof runSynth },
): void {
  const blocks = (flag: string) => wholeNumber(flag, { min: 0, max: 1024 });
  program.command("synth")
    .description("write a model folder of random weights, as large as the real one")
    .addOption(
      new Option("--preset <name>", "whose sizes").choices(PRESETS).default("flux1-dev")
        .argParser(oneOf("--preset", PRESETS)),
    )
    .addOption(new Option("--depth <n>", "double blocks (default: the preset's)").argParser(blocks("--depth")))
    .addOption(new Option("--single <n>", "single blocks (default: the preset's)").argParser(blocks("--single")))
    .addOption(
      new Option("--layout <kind>", "names and files").choices(LAYOUTS).default("diffusers")
        .argParser(oneOf("--layout", LAYOUTS)),
    )
    .addOption(
      new Option("--dtype <type>", "of all weights (default: bf16, the autoencoder of the bfl layout f32)")
        .choices(DTYPES).argParser(oneOf("--dtype", DTYPES)),
    )
    .addOption(new Option("--seed <n>", "seed of the weights").default(1).argParser(wholeNumber("--seed", { min: 0 })))
    .addOption(
      new Option("--shard-size <size>", "most bytes of a file in the diffusers layout").default(10e9, "10GB")
        .argParser(sizeInBytes("--shard-size")),
    )
    .addOption(
      new Option("-o, --output <dir>", "the new folder").makeOptionMandatory().argParser(path("--output")),
    )
    .option("--overwrite", "replace a model folder that exists")
    .addHelpText("after", MORE)
    .action(async (_options: unknown, command: Command) => {
      await run(command.optsWithGlobals<SynthRequest>(), { host });
    });
}

/** Writes the model that was asked for, a chunk of a tensor at a time. */
export async function runSynth(request: SynthRequest, { host }: { host: Host }): Promise<void> {
  const { preset, layout, seed, shardSize: shardBytes, output, overwrite = false } = request;
  const { transformer, vae } = await sizes(request);
  const dtypes: Record<string, SyntheticDtype> = { bf16: "BF16", f16: "F16", f32: "F32" };
  const rows = (module: Mmdit | Autoencoder, usual: SyntheticDtype) =>
    syntheticRows(module.parameters(), { seed, dtype: request.dtype ? dtypes[request.dtype]! : usual });
  const model = {
    transformer: { config: transformer, tensors: rows(new Mmdit(transformer), "BF16") },
    vae: { config: vae, tensors: rows(new Autoencoder(vae), layout === "bfl" ? "F32" : "BF16") },
  };
  const bytes = modelBytes(model);
  const progress = new ByteProgress(host, { total: bytes });
  const options = { overwrite, networks: ["transformer", "vae"] as const, bytes };
  const isThere = await fillNewFolder(output, options, async (part, signal) => {
    await writeModel(part, model, { layout, shardBytes, onWritten: progress.until(signal) });
    await writeJson(join(part, "fluxsr.json"), { name: `synthetic ${preset}, seed ${seed}` });
  });
  if (isThere) progress.done(output);
  else progress.stopped(output);
}

/** The networks' configurations. */
async function sizes(
  { preset, depth, single }: SynthRequest,
): Promise<{ transformer: MmditConfig; vae: AutoencoderConfig }> {
  using bundled = preset === "nano" ? await openModelFolder(BUNDLED_MODEL) : undefined;
  const base = bundled?.transformer.config ?? FLUX_DEV;
  const transformer = {
    ...base,
    depth: depth ?? base.depth,
    depth_single_blocks: single ?? base.depth_single_blocks,
  };
  return { transformer, vae: bundled?.vae.config ?? FLUX_AUTOENCODER };
}

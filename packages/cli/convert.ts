import {
  type AdapterFolder,
  isGgmlDtype,
  isInBlocks,
  isQuantised,
  type Layout,
  mergedRows,
  modelBytes,
  openAdapter,
  openNetworks,
  type QuantisedDtype,
  quantisedRows,
  type RowTensor,
  sourceRows,
  type WeightDtype,
  type WeightSource,
  writeModel,
} from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { type Command, Option } from "commander";
import { ByteProgress } from "./_byte_progress.ts";
import { copySettings } from "./_copy_settings.ts";
import { UsageError } from "./_errors.ts";
import { openChosenGpu } from "./_gpu.ts";
import type { Host } from "./_host.ts";
import { LAYOUTS, sizeInBytes } from "./_model_options.ts";
import { fillNewFolder } from "./_new_folder.ts";
import { oneOf, path } from "./_options.ts";

const DTYPES = {
  bf16: "BF16",
  f16: "F16",
  f32: "F32",
  f8_e4m3: "F8_E4M3",
  q8_0: "Q8_0",
  q5_k: "Q5_K",
  q4_k: "Q4_K",
  q4_0: "Q4_0",
} as const;
type DtypeName = keyof typeof DTYPES;
const DTYPE_NAMES = Object.keys(DTYPES) as DtypeName[];

/** What the user asked for. */
export interface ConvertRequest {
  /** A model folder, or a file with a network. */
  readonly model: string;
  readonly output: string;
  /** That of GGUF, bfl, for its dtypes if not given, and else diffusers. */
  readonly layout?: Layout;
  /** As stored if not given, or of quantised weights bf16. */
  readonly dtype?: DtypeName;
  /** A LoRA file or adapter folder. */
  readonly lora?: string;
  readonly shardSize: number;
  readonly overwrite?: boolean;
}

const MORE = `
A LoRA is summed with the weights in f32 and the sum rounded to the dtype that is written: with bf16 small changes are
lost in part, --dtype f32 keeps them. fluxsr.json, licences and other text files of a folder are copied.

q8_0, q5_k, q4_k and q4_0 make a GGUF file, f8_e4m3 safetensors with a scale for each weight. What is quantised are the
weights of the transformer's blocks, after a LoRA was merged; layers at either end, norms, biases and the autoencoder are
as they were. Such files stay packed on the GPU.

Examples:
  deno task convert FLUX.1-dev -o single --layout bfl                 one file per network
  deno task convert flux1-dev.safetensors -o folder                   transformer/ as diffusers has it
  deno task convert FLUX.1-dev -o upscaler --lora adapter/ --dtype f32
  deno task convert FLUX.1-dev -o small --lora adapter/ --dtype q8_0  half the size`;

/** Adds the command `convert`: a model folder in another layout or dtype. */
export function registerConvert(
  program: Command,
  { host, run = runConvert }: { host: Host; run?: typeof runConvert },
): void {
  program.command("convert")
    .description("write a model in another layout or dtype, quantised, or with its LoRA merged")
    .argument("<model>", "model folder, or file with a transformer or an autoencoder")
    .addOption(
      new Option("-o, --output <dir>", "the new folder").makeOptionMandatory().argParser(path("--output")),
    )
    .addOption(
      new Option("--layout <kind>", "names and files (default: diffusers, of GGUF bfl)").choices(LAYOUTS)
        .argParser(oneOf("--layout", LAYOUTS)),
    )
    .addOption(
      new Option("--dtype <type>", "of all weights, or quantised (default: as stored, of quantised ones bf16)")
        .choices(DTYPE_NAMES).argParser(oneOf("--dtype", DTYPE_NAMES)),
    )
    .addOption(new Option("--lora <path>", "LoRA, or folder of one, to merge").argParser(path("--lora")))
    .addOption(
      new Option("--shard-size <size>", "most bytes of a file in the diffusers layout").default(10e9, "10GB")
        .argParser(sizeInBytes("--shard-size")),
    )
    .option("--overwrite", "replace a model folder that exists")
    .addHelpText("after", MORE)
    .action(async (model: string, _options: unknown, command: Command) => {
      const request = { ...command.opts<Omit<ConvertRequest, "model">>(), model };
      await run(request, { host, openGpu: () => openChosenGpu(command) });
    });
}

/** Converts the model that was asked for, a tensor at a time; a GPU is opened only to merge a LoRA. */
export async function runConvert(
  request: ConvertRequest,
  { host, openGpu }: { host: Host; openGpu: () => Promise<Gpu> },
): Promise<void> {
  const { shardSize: shardBytes, lora, output, overwrite = false } = request;
  const dtype = request.dtype && DTYPES[request.dtype];
  const layout = layoutOf(request);
  using networks = await openNetworks(request.model);
  const { transformer, vae, folder } = networks;
  const needsTransformer = lora !== undefined ? `merge "${lora}"` : isQuantised(dtype) ? `write ${dtype}` : undefined;
  if (needsTransformer && !transformer) {
    throw new UsageError(`Cannot ${needsTransformer}: the input must have a transformer: "${request.model}" has none`);
  }
  const adapter = lora === undefined || !transformer ? undefined : await openAdapter(lora, transformer.config);
  for (const note of adapter?.notes ?? []) host.err(`Note: ${note}\n`);
  using gpu = adapter ? await openGpu() : undefined;
  const merge = gpu && adapter && { gpu, adapters: adapter.adapters };
  const model = {
    ...(transformer && {
      transformer: { config: transformer.config, tensors: transformerRows(transformer.source, { dtype, merge }) },
    }),
    ...(vae && {
      vae: { config: vae.config, tensors: sourceRows(vae.source, isQuantised(dtype) ? undefined : dtype) },
    }),
  };
  if (isQuantised(dtype)) host.err(leftOut(model.transformer!.tensors, dtype));
  const bytes = modelBytes(model);
  const progress = new ByteProgress(host, { total: bytes });
  const names = (["transformer", "vae"] as const).filter((name) => model[name]);
  const options = { overwrite, networks: names, bytes, input: request.model };
  const isThere = await fillNewFolder(output, options, async (part, signal) => {
    await writeModel(part, model, { layout, shardBytes, onWritten: progress.until(signal) });
    await copySettings(part, { folder, adapter });
  });
  if (isThere) progress.done(output);
  else progress.stopped(output);
}

function layoutOf({ layout, dtype }: ConvertRequest): Layout {
  if (dtype === undefined || !isGgmlDtype(DTYPES[dtype])) return layout ?? "diffusers";
  if (layout !== "diffusers") return "bfl";
  throw new UsageError(
    `Cannot write ${dtype} in the diffusers layout: a GGUF file has Black Forest Labs' names`,
    "leave --layout out, or pass --layout bfl",
  );
}

/** The tensors as `dtype`, those of a LoRA merged. */
function transformerRows(
  source: WeightSource,
  { dtype, merge }: {
    dtype: typeof DTYPES[DtypeName] | undefined;
    merge: { gpu: Gpu; adapters: AdapterFolder["adapters"] } | undefined;
  },
): ReadonlyMap<string, RowTensor> {
  const rows = (plain?: WeightDtype) =>
    merge
      ? mergedRows(merge.gpu, source, { adapters: merge.adapters, ...plain && { dtype: plain } })
      : sourceRows(source, plain);
  return isQuantised(dtype) ? quantisedRows({ stored: rows(), exact: rows("F32") }, dtype) : rows(dtype);
}

/** Which weights of blocks stay as they were, as a line; empty if none does. */
function leftOut(tensors: ReadonlyMap<string, RowTensor>, dtype: QuantisedDtype): string {
  const inBlocks = [...tensors].filter(([name]) => isInBlocks(name));
  const others = inBlocks.filter(([, tensor]) => tensor.dtype !== dtype);
  const count = `${others.length} of ${inBlocks.length} weights of blocks`;
  return others.length === 0 ? "" : `Note: ${count} stay as they are: their rows are no whole blocks of ${dtype}\n`;
}

import {
  type AdapterFolder,
  fromF32,
  type Layout,
  mergedRows,
  modelBytes,
  type ModelSettings,
  type Networks,
  openAdapter,
  openNetworks,
  readJson,
  sourceRows,
  writeJson,
  writeModel,
  writeSafetensors,
} from "@fluxsr/core";
import { openGpu, type Provider } from "@fluxsr/kernels";
import { type Command, Option } from "commander";
import { dirname, join, relative } from "node:path";
import { ByteProgress } from "./_byte_progress.ts";
import { UsageError } from "./_errors.ts";
import { type Host, PROCESS } from "./_host.ts";
import { LAYOUTS, sizeInBytes } from "./_model_options.ts";
import { fillNewFolder } from "./_new_folder.ts";
import { oneOf, path } from "./_options.ts";

const DTYPES = ["bf16", "f16", "f32"] as const;
const WEIGHT_DTYPES = { bf16: "BF16", f16: "F16", f32: "F32" } as const;

/** What the user asked for. */
export interface ConvertRequest {
  /** A model folder, or a file with a network. */
  readonly model: string;
  readonly output: string;
  readonly layout: Layout;
  /** As stored if not given. */
  readonly dtype?: typeof DTYPES[number];
  /** A LoRA file or adapter folder. */
  readonly lora?: string;
  readonly shardSize: number;
  readonly overwrite?: boolean;
  /** Merges the LoRA. */
  readonly gpu?: Provider;
}

const MORE = `
A LoRA is summed with the weights in f32 and the sum rounded to the dtype that is written: with bf16 small changes are
lost in part, --dtype f32 keeps them. fluxsr.json, licences and other text files of a folder are copied.

Examples:
  fluxsr convert FLUX.1-dev -o single --layout bfl                 one file per network
  fluxsr convert flux1-dev.safetensors -o folder                   transformer/ as diffusers has it
  fluxsr convert FLUX.1-dev -o upscaler --lora adapter/ --dtype f32`;

/** Adds the command `convert`: a model folder in another layout or dtype. */
export function registerConvert(
  program: Command,
  { host = PROCESS, run = runConvert }: { host?: Host; run?: typeof runConvert } = {},
): void {
  program.command("convert")
    .description("write a model in another layout or dtype, or with its LoRA merged")
    .argument("<model>", "model folder, or file with a transformer or an autoencoder")
    .addOption(
      new Option("-o, --output <dir>", "the new folder").makeOptionMandatory().argParser(path("--output")),
    )
    .addOption(
      new Option("--layout <kind>", "names and files").choices(LAYOUTS).default("diffusers")
        .argParser(oneOf("--layout", LAYOUTS)),
    )
    .addOption(
      new Option("--dtype <type>", "of all weights (default: as stored)").choices(DTYPES)
        .argParser(oneOf("--dtype", DTYPES)),
    )
    .addOption(new Option("--lora <path>", "LoRA, or folder of one, to merge").argParser(path("--lora")))
    .addOption(
      new Option("--shard-size <size>", "most bytes of a file in the diffusers layout").default(10e9, "10GB")
        .argParser(sizeInBytes("--shard-size")),
    )
    .option("--overwrite", "replace a model folder that exists")
    .addHelpText("after", MORE)
    .action(async (model: string, _options: unknown, command: Command) => {
      await run({ ...command.optsWithGlobals<Omit<ConvertRequest, "model">>(), model }, { host });
    });
}

/** Converts the model that was asked for, a tensor at a time; a GPU is opened only to merge a LoRA. */
export async function runConvert(request: ConvertRequest, { host }: { host: Host }): Promise<void> {
  const { layout, shardSize: shardBytes, lora, output, overwrite = false } = request;
  using networks = await openNetworks(request.model);
  const { transformer, vae, folder } = networks;
  if (lora !== undefined && !transformer) {
    throw new UsageError(`Cannot merge "${lora}": the input must have a transformer: "${request.model}" has none`);
  }
  const adapter = lora === undefined || !transformer ? undefined : await openAdapter(lora, transformer.config);
  for (const note of adapter?.notes ?? []) host.err(`Note: ${note}\n`);
  using gpu = adapter ? await openGpu({ provider: request.gpu }) : undefined;
  const dtype = request.dtype && WEIGHT_DTYPES[request.dtype];
  const options = dtype ? { dtype } : {};
  const model = {
    ...(transformer && {
      transformer: {
        config: transformer.config,
        tensors: gpu && adapter
          ? mergedRows(gpu, transformer.source, { adapters: adapter.adapters, ...options })
          : sourceRows(transformer.source, dtype),
      },
    }),
    ...(vae && { vae: { config: vae.config, tensors: sourceRows(vae.source, dtype) } }),
  };
  const bytes = modelBytes(model);
  const progress = new ByteProgress(host, { total: bytes });
  await fillNewFolder(output, { overwrite, bytes }, async (target) => {
    await writeModel(target, model, { layout, shardBytes, onWritten: (count) => progress.add(count) });
    if (folder) await copyTexts(folder.path, target);
    await writeSettings(target, { folder, adapter });
  });
  progress.done(output);
}

/** Copies licences, model cards and the like. */
async function copyTexts(from: string, to: string): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(from)) {
    if (isFile && /\.(md|txt)$|^LICENSE/i.test(name)) await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** Writes fluxsr.json and the files that it names; a merged adapter stands for the model's own LoRA, text and settings. */
async function writeSettings(
  to: string,
  { folder, adapter }: { folder: Networks["folder"]; adapter: AdapterFolder | undefined },
): Promise<void> {
  const own: Partial<ModelSettings> = folder?.settings ?? {};
  const source = folder && join(folder.path, "fluxsr.json");
  const hasFile = source !== undefined && await Deno.stat(source).then(() => true, () => false);
  const json: Record<string, unknown> = { ...(hasFile ? await readJson(source) as object : {}), ...adapter?.settings };
  if (adapter) delete json.lora;
  if (adapter?.conditioning) {
    const { txt, txt_shape, y } = adapter.conditioning;
    json.conditioning = "conditioning.safetensors";
    await writeSafetensors(join(to, "conditioning.safetensors"), [
      ["txt", { dtype: "F32", shape: txt_shape, bytes: fromF32(txt, "F32") }],
      ["y", { dtype: "F32", shape: [y.length], bytes: fromF32(y, "F32") }],
    ]);
  }
  const kept = [adapter ? undefined : own.lora, adapter?.conditioning ? undefined : own.conditioning];
  for (const file of kept) {
    if (file === undefined || !folder) continue;
    const copy = join(to, relative(folder.path, file));
    await Deno.mkdir(dirname(copy), { recursive: true });
    await Deno.copyFile(file, copy);
  }
  if (Object.keys(json).length > 0) await writeJson(join(to, "fluxsr.json"), json);
}

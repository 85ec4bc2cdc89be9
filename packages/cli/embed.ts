import { checkPlace, cutNotices, openTextFolder, planTexts, writeEmbeddings } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { type Command, Option } from "commander";
import { UsageError } from "./_errors.ts";
import { openChosenGpu } from "./_gpu.ts";
import type { Host } from "./_host.ts";
import { sizeInBytes } from "./_model_options.ts";
import { path, wholeNumber } from "./_options.ts";
import { textPlanText } from "./_text_plan_table.ts";

const MORE = `
The file has txt [1, tokens, width of T5] and y [1, width of CLIP]. It is the text of a model folder when its fluxsr.json
names it under "conditioning", that of an adapter folder as t5_embedding.safetensors and again as
clip_embedding.safetensors, and a prompt of "train pairs --prompts". Without one, a model has an empty text.

Examples:
  deno task embed "a sharp photo, high detail" -m ~/FLUX.1-dev -o text.safetensors
  deno task embed "a sharp photo, high detail" -m ~/FLUX.1-dev -o text.safetensors --max-vram 4GB`;

/** What the user asked for. */
interface EmbedRequest {
  readonly model: string;
  readonly output: string;
  readonly tokens: number;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  /** Bytes. */
  readonly maxVram?: number;
}

/** Adds the command `embed`: what a model's text encoders make of a text, as a file. */
export function registerEmbed(program: Command, { host }: { host: Host }): void {
  program.command("embed")
    .description("write what a model's text encoders make of a text, to be its fixed text")
    .argument("<text>", "the prompt, may be empty")
    .addOption(
      new Option("-m, --model <dir>", "model folder with text_encoder/, text_encoder_2/ and their tokenizers")
        .makeOptionMandatory().argParser(path("--model")),
    )
    .addOption(
      new Option("-o, --output <file>", "safetensors file to write").makeOptionMandatory().argParser(embeddingPath),
    )
    .addOption(
      new Option("--tokens <n>", "tokens of T5, filled up with padding: 512 for FLUX.1-dev, 256 for FLUX.1-schnell")
        .default(512).argParser(wholeNumber("--tokens", { min: 2, max: 4096 })),
    )
    .addOption(
      new Option(
        "--max-vram <size>",
        "most GPU memory, such as 4GB: blocks of T5 that have no room are loaded in their turn",
      )
        .argParser(sizeInBytes("--max-vram")),
    )
    .option("--dry-run", "print what it would take of the GPU, and end")
    .option("--overwrite", "replace the file if it exists")
    .addHelpText("after", MORE)
    .action(async (text: string, request: EmbedRequest, command: Command) => {
      await runEmbed(text, request, { host, openGpu: () => openChosenGpu(command) });
    });
}

function embeddingPath(text: string): string {
  if (text.endsWith(".safetensors")) return text;
  throw new UsageError(`Cannot use --output "${text}": it must end in .safetensors`);
}

async function runEmbed(
  text: string,
  { model, output, tokens: max, overwrite = false, dryRun = false, maxVram: budget }: EmbedRequest,
  { host, openGpu }: { host: Host; openGpu: () => Promise<Gpu> },
): Promise<void> {
  if (!dryRun) await checkPlace(output, { overwrite });
  using folder = await openTextFolder(model);
  const texts = [folder.tokenize(text, { max })];
  for (const notice of cutNotices(texts, { clip: folder.clip, max })) host.err(`${notice}\n`);
  using gpu = await openGpu();
  if (dryRun) return host.out(textPlanText(await planTexts(gpu, { folder, texts: 1, max, budget })));
  gpu.buffers.budget = budget ?? Infinity;
  const onNotice = (line: string) => host.err(`${line}\n`);
  await writeEmbeddings(output, { gpu, folder, texts, max, dtype: "F32", metadata: { text }, onNotice });
  const { clip, t5 } = folder;
  host.out(`${output}: txt [1, ${max}, ${t5.config.d_model}], y [1, ${clip.config.hidden_size}]\n`);
}

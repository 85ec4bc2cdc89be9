import { checkPlace, writeAtomically } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import {
  contactSheet,
  describeDegradation,
  openPictures,
  type Preview,
  previews,
  readDegradation,
} from "@fluxsr/train";
import { basename, extname } from "node:path";
import { type Command, Option } from "commander";
import { UsageError } from "../_errors.ts";
import { openChosenGpu } from "../_gpu.ts";
import type { Host } from "../_host.ts";
import { path, wholeNumber } from "../_options.ts";

const MORE = `
Left: the degraded picture, enlarged bicubically as the network takes it. Right: what is to be made of it.
A line is printed for every row: the picture, and what was done to it. The same seed gives the same sheet.

Examples:
  deno task train preview photos --out sheet.png
  deno task train preview photos --out sheet.png --degradation mild.json --count 4 --seed 7`;

interface PreviewRequest {
  readonly out: string;
  readonly count: number;
  readonly size: number;
  readonly scale: number;
  readonly seed: number;
  readonly degradation?: string;
  readonly overwrite?: boolean;
}

/** Adds the command `preview` to `train`: shows what the degradation makes of pictures. */
export function registerPreview(train: Command, { host }: { host: Host }): void {
  const number = (flag: string, { text, fallback, min }: { text: string; fallback: number; min: number }) =>
    new Option(`${flag} <n>`, text).default(fallback).argParser(wholeNumber(flag, { min }));
  train.command("preview")
    .description("show degraded pictures beside the good ones")
    .argument("<images...>", "files and folders")
    .addOption(new Option("--out <file>", "PNG file to write").makeOptionMandatory().argParser(pngPath))
    .addOption(number("--count", { text: "samples", fallback: 8, min: 1 }))
    .addOption(number("--size", { text: "side of the crops in pixels", fallback: 256, min: 1 }))
    .addOption(number("--scale", { text: "times smaller", fallback: 4, min: 1 }))
    .addOption(number("--seed", { text: "seed of all random numbers", fallback: 1, min: 0 }))
    .addOption(
      new Option("--degradation <file>", "JSON file with parameters (default: the pipeline of Real-ESRGAN)")
        .argParser(path("--degradation")),
    )
    .option("--overwrite", "replace the file if it exists")
    .addHelpText("after", MORE)
    .action(async (images: string[], request: PreviewRequest, command: Command) => {
      await writePreview(images, request, { host, openGpu: () => openChosenGpu(command) });
    });
}

function pngPath(text: string): string {
  if (extname(text).toLowerCase() === ".png") return text;
  throw new UsageError(`Cannot use --out "${text}": it must end in .png`);
}

async function writePreview(
  images: readonly string[],
  { out, size, degradation: file, overwrite = false, ...request }: PreviewRequest,
  { host, openGpu }: { host: Host; openGpu: () => Promise<Gpu> },
): Promise<void> {
  if (size % request.scale !== 0) {
    throw new UsageError(`Cannot use --size ${size}: it must be a multiple of --scale, ${request.scale}`);
  }
  await checkPlace(out, { overwrite });
  const parameters = await readDegradation(file);
  const pictures = await openPictures(images, { size, notice: (text) => host.err(`${text}\n`) });
  using gpu = await openGpu();
  const rows: Preview[] = [];
  for await (const row of previews(gpu, { ...request, pictures, parameters, size })) {
    rows.push(row);
    host.out(`${rows.length}  ${basename(row.name)}  ${describeDegradation(row.degradation)}\n`);
  }
  const sheet = await contactSheet(rows.map(({ enlarged, truth }) => [enlarged, truth]), {
    titles: ["LR enlarged", "HR"],
  });
  await writeAtomically(out, sheet, { overwrite });
}

import {
  InputError,
  loadModel,
  pictureSize,
  planUpscale,
  readImage,
  readModelSettings,
  upscale,
  writeImage,
} from "@fluxsr/core";
import { type Command, Option } from "commander";
import { openChosenGpu } from "./_gpu.ts";
import type { Host } from "./_host.ts";
import { sizeInBytes } from "./_model_options.ts";
import { oneOf, path, wholeNumber } from "./_options.ts";
import { RESTORING } from "./_restoring_options.ts";
import { runUpscale } from "./_run_upscale.ts";
import type { UpscaleRequest } from "./_upscale_request.ts";

const COLOR_FIXES = ["wavelet", "adain", "none"] as const;
const PRECISIONS = ["auto", "native", "f32"] as const;

const MORE = `
Inputs are files, folders (their pictures, not those of subfolders; results of earlier runs are skipped) and globs:
PNG, JPEG, WebP, AVIF, TIFF, and the first frame of a GIF. The name of the output decides its format: .png .jpg .webp
.avif .tif. Inputs that differ in the extension alone keep it: a_png_x4.png and a_jpg_x4.png.

Exit code: 0 all done, 1 some inputs failed (the others are written), 2 wrong usage or no picture found.

Examples:
  deno task upscale photo.jpg                     photo_x4.png
  deno task upscale photo.jpg -o large.webp -s 2
  deno task upscale photo.jpg -m FLUX.1-dev --max-vram 12GB
  deno task upscale scans "more/**/*.tif" -o large/ --compare`;

/** Adds the command `upscale` to `program`. */
export function registerUpscale(
  program: Command,
  { host, run = runUpscale }: { host: Host; run?: typeof runUpscale },
): void {
  program.command("upscale")
    .description("enlarge and restore pictures")
    .argument("<input...>", "files, folders, globs")
    .addOption(
      new Option(
        "-o, --output <path>",
        "file, or folder: existing, ending in / or for several inputs (default: <name>_x4.png beside the input)",
      ).argParser(path("--output")),
    )
    .addOption(RESTORING.model())
    .addOption(RESTORING.lora())
    .addOption(
      new Option("-s, --scale <n>", "times larger, 1 to 8 (default: the model's, mostly 4)").argParser(
        wholeNumber("--scale", { min: 1, max: 8 }),
      ),
    )
    .addOption(RESTORING.tile())
    .addOption(
      new Option("--tile-overlap <px>", "least overlap of tiles (default: chosen with the tile)").argParser(
        wholeNumber("--tile-overlap", { min: 0 }),
      ),
    )
    .addOption(RESTORING.strength())
    .addOption(
      new Option("--color-fix <kind>", "ties the colours to those of the input").choices(COLOR_FIXES)
        .default("wavelet").argParser(oneOf("--color-fix", COLOR_FIXES)),
    )
    .addOption(
      new Option("--precision <kind>", "how weights are kept").choices(PRECISIONS)
        .default("auto").argParser(oneOf("--precision", PRECISIONS)),
    )
    .addOption(RESTORING.seed())
    .addOption(
      new Option(
        "--max-vram <size>",
        "most GPU memory, such as 12GB: blocks of the transformer that have no room are loaded in their turn",
      ).argParser(sizeInBytes("--max-vram")),
    )
    .option("--dry-run", "print what the largest picture would take of the GPU, and what fits on which card, and end")
    .option("--overwrite", "replace outputs that exist")
    .option("--compare", "also write <output>_compare.png: plain enlargement | result")
    .option("--json", "print one JSON object: adapter, milliseconds per stage, GPU bytes, outputs")
    .addHelpText("after", MORE)
    .action(async (inputs: string[], _options: unknown, command: Command) => {
      const openGpu = () => openChosenGpu(command, { matrices: true });
      const options = command.optsWithGlobals<Omit<UpscaleRequest, "inputs" | "scale"> & { scale?: number }>();
      const request: UpscaleRequest = { ...options, scale: options.scale ?? await scaleOf(options.model), inputs };
      const work = { loadModel, pictureSize, planUpscale, readImage, writeImage, upscale };
      host.exitCode(await run(request, { host, openGpu, ...work }));
    });
}

/** What the model in folder `path` says, or 4: what is wrong with it is told when it is loaded, for every picture. */
async function scaleOf(path: string): Promise<number> {
  try {
    return (await readModelSettings(path)).scale;
  } catch (error) {
    if (error instanceof InputError) return 4;
    throw error;
  }
}

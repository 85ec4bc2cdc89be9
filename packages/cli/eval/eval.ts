import { type Command, Option } from "commander";
import { UsageError } from "../_errors.ts";
import { openChosenGpu } from "../_gpu.ts";
import type { Host } from "../_host.ts";
import { path, wholeNumber } from "../_options.ts";
import { RESTORING } from "../_restoring_options.ts";
import { type EvalRequest, runEval } from "./_run_eval.ts";

const MORE = `
The folder has two folders, LR and GT, with pictures of the same names but for the extension; GT is 1 to 8 times larger,
all pairs by the same factor. "degrade" makes such folders. Figures are PSNR and SSIM of Y, LPIPS, DISTS, NIQE and its
distance to that of GT (dNIQE), the energy of a 16-pixel grid relative to GT's, and the largest difference of mean R, G
and B from GT's (dRGB) and LR's (dRGB-LR) in steps of 8 bits. "-" is for pictures that a figure cannot be had of: NIQE
takes two blocks of 96 x 96 pixels within the border, the grid figure sides of 96; LPIPS and DISTS are left out where
the adapter has no buffers that large.

LPIPS and DISTS compare features of VGG16. Without --lpips-weights these are pseudo-random: good to compare methods with
each other, not with published figures.

Examples:
  deno task eval --pairs pairs --json eval.json --markdown eval.md
  deno task eval --pairs pairs --lora run --also esrgan=esrgan-out`;

/** Adds the command `eval`: how good the model's pictures are, beside those of classic enlargement and other programs. */
export function registerEval(
  program: Command,
  { host, run = runEval }: { host: Host; run?: typeof runEval },
): void {
  program.command("eval")
    .description("measure how near enlarged pictures are to the true ones")
    .addOption(
      new Option("--pairs <dir>", "folder with LR and GT").makeOptionMandatory().argParser(path("--pairs")),
    )
    .addOption(RESTORING.model())
    .addOption(RESTORING.lora())
    .addOption(
      new Option("--also <name=dir>", "judge the pictures in this folder too, another program's; may be repeated")
        .argParser(otherResults).default(new Map(), "none"),
    )
    .addOption(RESTORING.tile())
    .addOption(RESTORING.strength())
    .addOption(RESTORING.seed())
    .addOption(
      new Option("--crop-border <px>", "pixels at every side to leave out (default: the scale)")
        .argParser(wholeNumber("--crop-border", { min: 0 })),
    )
    .addOption(
      new Option("--lpips-weights <files>", "weights of VGG16, LPIPS and DISTS, separated by commas")
        .argParser((text) => text.split(",").map((file) => path("--lpips-weights")(file.trim()))),
    )
    .addOption(new Option("--json <file>", "also write all figures as JSON").argParser(path("--json")))
    .addOption(new Option("--markdown <file>", "also write tables as Markdown").argParser(path("--markdown")))
    .addOption(
      new Option("--keep <dir>", "also write the pictures: <dir>/<method>/<name>.png").argParser(path("--keep")),
    )
    .option("--overwrite", "replace files that exist")
    .addHelpText("after", MORE)
    .action(async (request: EvalRequest, command: Command) => {
      await run(request, { host, openGpu: () => openChosenGpu(command, { matrices: true }) });
    });
}

/** Adds `name=dir` to what `--also` was given before. */
function otherResults(text: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, name = "", folder = ""] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  const fail = (rule: string) => new UsageError(`Cannot use --also "${text}": ${rule}`);
  if (folder === "") throw fail("it must be a name of letters, digits, _ . -, then =, then a folder");
  if (before.has(name)) throw fail("names must differ: this one was given before");
  return new Map([...before, [name, folder]]);
}

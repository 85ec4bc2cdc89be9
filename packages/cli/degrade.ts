import { InputError, osReason, type Rgb8, writeImage } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import { degradedPairs, describeDegradation, openPictures, readDegradation } from "@fluxsr/train";
import { join, parse } from "node:path";
import { type Command, Option } from "commander";
import { UsageError } from "./_errors.ts";
import { openChosenGpu } from "./_gpu.ts";
import type { Host } from "./_host.ts";
import { oneOf, path, wholeNumber } from "./_options.ts";

const ORDERS = ["none", "first", "second"] as const;

const MORE = `
Writes <dir>/LR and <dir>/GT with PNG files of the same names, for "eval" and for any other upscaler, and prints a line
for every pair: its name, and what was done to it. The same seed gives the same pairs.

Examples:
  deno task degrade photos --out pairs
  deno task degrade photos --out pairs --order first --size 256 --count 32 --seed 7`;

/** What the user asked for. */
interface DegradeRequest {
  readonly out: string;
  readonly order?: typeof ORDERS[number];
  readonly size?: number;
  readonly count?: number;
  readonly scale: number;
  readonly seed: number;
  readonly degradation?: string;
}

/** Adds the command `degrade`: makes pairs of small and good pictures, to try upscalers on. */
export function registerDegrade(program: Command, { host }: { host: Host }): void {
  program.command("degrade")
    .description("make pairs of degraded and good pictures, to evaluate upscalers with")
    .argument("<images...>", "files and folders")
    .addOption(new Option("--out <dir>", "the new folder").makeOptionMandatory().argParser(path("--out")))
    .addOption(
      new Option(
        "--order <which>",
        "rounds of the degradation; none: pictures are only made smaller (default: as --degradation says, else second)",
      ).choices(ORDERS).argParser(oneOf("--order", ORDERS)),
    )
    .addOption(
      new Option("--size <px>", "side of random square crops (default: whole pictures)")
        .argParser(wholeNumber("--size", { min: 1 })),
    )
    .addOption(
      new Option("--count <n>", "pairs (default: one of each picture)").argParser(wholeNumber("--count", { min: 1 })),
    )
    .addOption(
      new Option("-s, --scale <n>", "times smaller, 1 to 8").default(4)
        .argParser(wholeNumber("--scale", { min: 1, max: 8 })),
    )
    .addOption(
      new Option("--seed <n>", "seed of all random numbers").default(1).argParser(wholeNumber("--seed", { min: 0 })),
    )
    .addOption(
      new Option("--degradation <file>", "JSON file with parameters (default: those of Real-ESRGAN)")
        .argParser(path("--degradation")),
    )
    .addHelpText("after", MORE)
    .action(async (images: string[], request: DegradeRequest, command: Command) => {
      await writePairs(images, request, { host, openGpu: () => openChosenGpu(command) });
    });
}

async function writePairs(
  images: readonly string[],
  { out, order, size, scale, seed, degradation: file, ...request }: DegradeRequest,
  { host, openGpu }: { host: Host; openGpu: () => Promise<Gpu> },
): Promise<void> {
  if (size !== undefined && size % scale !== 0) {
    throw new UsageError(`Cannot use --size ${size}: it must be a multiple of --scale, ${scale}`);
  }
  const parameters = {
    ...await readDegradation(file),
    ...order && { clean_prob: order === "none" ? 1 : 0, second_order_prob: order === "second" ? 1 : 0 },
  };
  const pictures = await openPictures(images, { size: size ?? scale, notice: (text) => host.err(`${text}\n`) });
  const count = request.count ?? pictures.count;
  await makeFolders(out);
  using gpu = await openGpu();
  let number = 0;
  for await (const pair of degradedPairs(gpu, { pictures, parameters, count, size, scale, seed })) {
    number++;
    const name = `${String(number).padStart(String(count).length, "0")}_${parse(pair.name).name}`;
    await writePng(join(out, "LR", `${name}.png`), pair.low);
    await writePng(join(out, "GT", `${name}.png`), pair.truth);
    host.out(`${name}  ${describeDegradation(pair.degradation)}\n`);
  }
}

/** `LR` and `GT` in `out`, which must not have them yet: pairs of two runs must not be mixed. */
async function makeFolders(out: string): Promise<void> {
  const refuse = (state: string, cause?: unknown) => new InputError(`Cannot write "${out}": ${state}`, { cause });
  const folders = ["LR", "GT"].map((name) => join(out, name));
  for (const folder of folders) {
    const info = await Deno.stat(folder).catch(() => undefined);
    if (info) throw refuse("it must not hold pairs yet: it does");
  }
  try {
    for (const folder of folders) await Deno.mkdir(folder, { recursive: true });
  } catch (cause) {
    throw refuse(`the folder must be writable: ${osReason(cause)}`, cause);
  }
}

async function writePng(path: string, picture: Rgb8): Promise<void> {
  await writeImage(path, { ...picture, depth: 8, grey: false, notes: [] });
}

import { Command } from "commander";
import { exitCodeOf, report } from "./_errors.ts";
import { gpuOption } from "./_gpu.ts";
import { type Host, PROCESS } from "./_host.ts";
import { registerConvert } from "./convert.ts";
import config from "./deno.json" with { type: "json" };
import { registerDegrade } from "./degrade.ts";
import { registerDoctor } from "./doctor.ts";
import { registerEmbed } from "./embed.ts";
import { registerEval } from "./eval/eval.ts";
import { registerGolden } from "./golden.ts";
import { registerSynth } from "./synth.ts";
import { registerTrain } from "./train/train.ts";
import { registerUpscale } from "./upscale.ts";

/** The command line `fluxsr` with all its commands. */
export function createProgram({ host = PROCESS }: { host?: Host } = {}): Command {
  const program = new Command("fluxsr")
    .description("One-step real-world image super-resolution on WebGPU")
    .version(config.version)
    .addOption(gpuOption())
    .option("--debug", "show where an error comes from")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => host.out(text),
      writeErr: (text) => host.err(text),
      outputError: () => {}, // thrown as well, and reported below with all others
    });
  registerUpscale(program, { host });
  registerTrain(program, { host });
  registerEval(program, { host });
  registerDegrade(program, { host });
  registerConvert(program, { host });
  registerEmbed(program, { host });
  registerSynth(program, { host });
  registerGolden(program, { host });
  registerDoctor(program, { host });
  return program;
}

/** Runs a command line; the one place where errors end. */
export async function runProgram(
  args: readonly string[],
  { host = PROCESS, program = createProgram({ host }) }: { host?: Host; program?: Command } = {},
): Promise<void> {
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    const code = exitCodeOf(error);
    if (code !== 0) host.exitCode(code);
    const hasPrintedHelp = error instanceof Error && "code" in error && error.code === "commander.help";
    if (code !== 0 && !hasPrintedHelp) report(error, { host, debug: program.opts().debug === true });
  }
}

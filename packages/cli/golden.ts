import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { openChosenGpu } from "./_gpu.ts";
import type { Host } from "./_host.ts";
import { runGolden } from "./golden/run.ts";

/** The cases that come with the project. */
const BUNDLED = fileURLToPath(new URL("../../tests/golden", import.meta.url));

/** Adds `golden [root...]`: the numbers of the networks against those of PyTorch. */
export function registerGolden(program: Command, { host }: { host: Host }): void {
  program.command("golden")
    .description("check the numbers against golden values from PyTorch")
    .argument("[root...]", "folders of cases", [BUNDLED])
    .action(async (roots: string[], _options: unknown, command: Command) => {
      using gpu = await openChosenGpu(command);
      const isGood = await runGolden(roots, { gpu, print: (line) => host.out(`${line}\n`) });
      host.exitCode(isGood ? 0 : 1);
    });
}

import { BUNDLED_MODEL, byteSize } from "@fluxsr/core";
import type { Gpu } from "@fluxsr/kernels";
import {
  addConfigFlags,
  checkPairs,
  configFlags,
  encodePrompts,
  type EncodePromptsOptions,
  loadConfig,
  makePairs,
  type PairsConfig,
  pairsConfig,
  planPairs,
} from "@fluxsr/train";
import { type Command, Option } from "commander";
import { openChosenGpu } from "../_gpu.ts";
import type { Host } from "../_host.ts";
import { sizeInBytes } from "../_model_options.ts";
import { path } from "../_options.ts";
import { pairsPlanText, teacherBlocks } from "./_pairs_plan_table.ts";
import { PairsProgress } from "./_pairs_progress.ts";
import { StatusLine } from "../_status_line.ts";
import { stoppable } from "../_stoppable.ts";

const MORE = `
Run it again to go on after an interruption, to repair damaged files, or with a higher --count for more pairs: what is
complete stays.

Exit code: 0 all pairs are there, 1 some are damaged or something failed, 2 wrong usage, 130 interrupted.

Examples:
  deno task train pairs --out noise --model ~/FLUX.1-dev --count 2400 --size 1024
  deno task train pairs --out noise --model ~/FLUX.1-dev --count 2400 --size 1024 --prompts prompts.txt
  deno task train pairs --out noise --model ~/FLUX.1-dev --prompts prompts.txt --dry-run
  deno task train pairs --out noise --model ~/FLUX.1-dev --prompts prompts.txt --max-vram 10.8GB
  deno task train pairs --out noise --from-images photos --size 256
  deno task train pairs --out noise --verify`;

/** Adds the command `pairs` to `train`: makes noise-image pairs with the teacher, or checks those that there are. */
export function registerPairs(train: Command, { host }: { host: Host }): void {
  const command = train.command("pairs")
    .description("make noise-image pairs with the teacher")
    .option("--config <file>", "JSON file with any of the keys below", path("--config"))
    .option("--verify", "check the pairs in --out, and that the model made them, instead of making any")
    .addOption(
      new Option(
        "--max-vram <size>",
        "most GPU memory, such as 24GB: blocks of T5 and of the teacher that have no room are loaded in their turn",
      )
        .argParser(sizeInBytes("--max-vram")),
    )
    .option("--dry-run", "print what it would take of the GPU, and end")
    .addHelpText("after", MORE);
  addConfigFlags(command, pairsConfig);
  command.action(async ({ config: file, verify, dryRun, maxVram: budget }: PairsFlags, command: Command) => {
    const config = await loadConfig(pairsConfig, { file, flags: configFlags(command, pairsConfig) });
    if (verify) return host.exitCode(await verifyPairs(config, host));
    using gpu = await openChosenGpu(command);
    if (dryRun) return host.out(pairsPlanText(await planPairs(gpu, config, { budget })));
    host.exitCode(await runPairs(config, { host, gpu, budget }));
  });
}

/** The flags that are no keys of the configuration: they change nothing of the pairs. */
interface PairsFlags {
  readonly config?: string;
  readonly verify?: boolean;
  readonly dryRun?: boolean;
  /** Bytes. */
  readonly maxVram?: number;
}

async function runPairs(
  config: PairsConfig,
  { host, gpu, budget }: { host: Host; gpu: Gpu; budget: number | undefined },
): Promise<number> {
  await planPairs(gpu, config, { budget }); // what does not fit is told before hours of work
  gpu.buffers.budget = budget ?? Infinity;
  const notice = (text: string) => host.err(`${text}\n`);
  return await stoppable(async (signal) => {
    const encoded = await encoding(config, { gpu, host, notice, signal });
    if (!encoded) return 130;
    const progress = new PairsProgress(host, config);
    const done = await makePairs(encoded, {
      gpu,
      signal,
      notice: (line) => progress.say(line),
      onPlan: (plan) => progress.say(`Within ${byteSize(gpu.buffers.budget)}: ${teacherBlocks(plan)}`),
      onLoaded: () => progress.begin(),
      onPair: (done, pair) => progress.pair(done, pair),
    });
    progress.end(done, config.out);
    return signal.aborted && done < config.count ? 130 : 0;
  });
}

/** `config` with encoded prompts; undefined if the user interrupted that. */
async function encoding(
  config: PairsConfig,
  { host, signal, ...options }: { host: Host } & Pick<EncodePromptsOptions, "gpu" | "notice" | "signal">,
): Promise<PairsConfig | undefined> {
  const line = new StatusLine(host);
  const onProgress = (done: number, total: number) => {
    if (done < total) line.show(`${Math.floor(100 * done / total)} %`);
    else line.clear();
  };
  try {
    return await encodePrompts(config, { ...options, signal, onProgress });
  } catch (error) {
    if (error !== signal.reason) throw error;
    return undefined;
  }
}

/** Prints a line for every shard. */
async function verifyPairs({ out, model = BUNDLED_MODEL }: PairsConfig, host: Host): Promise<number> {
  let damaged = 0, count = 0;
  for await (const { shard, fault } of checkPairs(out, { model })) {
    host.out(`${shard.file}  ${shard.count} pairs  ${fault === undefined ? "ok" : `DAMAGED: ${fault}`}\n`);
    if (fault === undefined) count += shard.count;
    else damaged++;
  }
  host.out(`${out}: ${count} good pairs, ${damaged} damaged shards\n`);
  return damaged > 0 ? 1 : 0;
}

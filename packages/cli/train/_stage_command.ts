import type { z } from "zod";
import { type Gpu, openGpu } from "@fluxsr/kernels";
import { InputError } from "@fluxsr/core";
import {
  addConfigFlags,
  type Batch,
  configFlags,
  type ConfigSchema,
  MetricsLog,
  parseConfig,
  plan,
  planLines,
  type RunConfig,
  type Stage,
  train,
  writeReport,
} from "@fluxsr/train";
import type { Command } from "commander";
import type { Host } from "../_host.ts";
import { openRunFolder } from "./_run_folder.ts";
import { TrainProgress } from "./_train_progress.ts";

/** A stage of training as the command line sees it. */
export interface StageCommand<S extends ConfigSchema, B extends Batch> {
  readonly name: string;
  readonly description: string;
  readonly schema: S;
  readonly isDefault?: boolean;
  /** The columns of the validation sheet. */
  readonly columns: readonly string[];
  readonly open: (gpu: Gpu, config: z.infer<S>, tell: { notice: (text: string) => void }) => Promise<Stage<B>>;
}

/** Adds a command that trains `stage`. */
export function registerStage<S extends ConfigSchema, B extends Batch>(
  train: Command,
  stage: StageCommand<S, B>,
  { host }: { host: Host },
): void {
  const command = train.command(stage.name, { isDefault: stage.isDefault ?? false })
    .description(stage.description)
    .option("--config <file>", "JSON file with any of the keys below; flags go before it")
    .option("--resume", "go on from the newest checkpoint in --out")
    .option("--dry-run", "print the memory plan and the cost of a step, and end");
  addConfigFlags(command, stage.schema);
  command.action(async () => {
    const { config: file, resume = false, dryRun = false } = command.opts<
      { config?: string; resume?: boolean; dryRun?: boolean }
    >();
    const keys = { ...await readConfigFile(file), ...configFlags(command, stage.schema) };
    const config = parseConfig(stage.schema, keys, file === undefined ? {} : { file });
    const run = config as z.infer<S> & RunConfig & { out: string };
    if (dryRun) await showPlan(stage, run, { host });
    else await runStage(stage, run, { resume, host });
  });
}

async function readConfigFile(path: string | undefined): Promise<Record<string, unknown>> {
  if (path === undefined) return {};
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`Cannot read configuration "${path}": it must be a JSON file: ${reason}`, { cause });
  }
}

/** Validation is left out: it takes less than a step. */
async function showPlan<S extends ConfigSchema, B extends Batch>(
  { open }: StageCommand<S, B>,
  config: z.infer<S> & RunConfig,
  { host }: { host: Host },
): Promise<void> {
  const openStage = (gpu: Gpu) => open(gpu, { ...config, valid: undefined }, { notice: () => {} });
  host.out(planLines(await plan(openStage, config)).join("\n") + "\n");
}

async function runStage<S extends ConfigSchema, B extends Batch>(
  { name, open, columns }: StageCommand<S, B>,
  config: z.infer<S> & RunConfig & { out: string },
  { resume, host }: { resume: boolean; host: Host },
): Promise<void> {
  const { out } = config;
  await openRunFolder(out, { stage: name, config, resume });
  const progress = new TrainProgress(host);
  const stop = new AbortController();
  const interrupt = () => {
    progress.say("finishing the step, then saving");
    stop.abort();
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    using gpu = await openGpu();
    using stage = await open(gpu, config, { notice: (text) => progress.say(text) });
    const log = new MetricsLog(out);
    const result = await train(stage, {
      config,
      out,
      resume,
      log,
      signal: stop.signal,
      onProgress: (state) => progress.show(state),
    });
    progress.end();
    await writeReport(out, { title: `fluxsr train ${name}`, columns });
    const peak = `peak ${(gpu.memory.peak / 2 ** 20).toFixed(0)} MiB on the GPU`;
    if (!result.finished) {
      progress.say(`stopped after step ${result.step} of ${config.steps}; --resume goes on; ${peak}`);
    } else for (const file of result.files) host.out(`${file}\n`);
    if (result.finished) progress.say(`finished ${config.steps} steps; ${peak}; see ${out}/report.html`);
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    progress.end();
  }
}

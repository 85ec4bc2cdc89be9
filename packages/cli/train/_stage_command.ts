import type { z } from "zod";
import type { Gpu } from "@fluxsr/kernels";
import {
  addConfigFlags,
  type Batch,
  configFlags,
  type ConfigSchema,
  loadConfig,
  MetricsLog,
  plan,
  planLines,
  type RunConfig,
  type RunProgress,
  type Stage,
  train,
  writeReport,
} from "@fluxsr/train";
import type { Command } from "commander";
import { openChosenGpu } from "../_gpu.ts";
import type { Host } from "../_host.ts";
import { stoppable } from "./_stoppable.ts";
import { checkRunFolder, makeRunFolder } from "./_run_folder.ts";
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
  command.action(async (options: { config?: string; resume?: boolean; dryRun?: boolean }) => {
    const { config: file, resume = false, dryRun = false } = options;
    const config = await loadConfig(stage.schema, { file, flags: configFlags(command, stage.schema) });
    const run = config as z.infer<S> & RunConfig & { out: string };
    if (dryRun) await showPlan(stage, run, { host });
    else await runStage(stage, run, { resume, host, openGpu: () => openChosenGpu(command) });
  });
}

/** Validation is left out: it takes less than a step. */
async function showPlan<S extends ConfigSchema, B extends Batch>(
  { open }: StageCommand<S, B>,
  config: z.infer<S> & RunConfig,
  { host }: { host: Host },
): Promise<void> {
  const planned = { ...config, valid: undefined };
  const openStage = (gpu: Gpu) => open(gpu, planned, { notice: () => {} });
  const other = await plan(openStage, { ...planned, checkpointing: !config.checkpointing });
  host.out(planLines(await plan(openStage, planned), other).join("\n") + "\n");
}

async function runStage<S extends ConfigSchema, B extends Batch>(
  { name, open, columns }: StageCommand<S, B>,
  config: z.infer<S> & RunConfig & { out: string },
  { resume, host, openGpu }: { resume: boolean; host: Host; openGpu: () => Promise<Gpu> },
): Promise<void> {
  const { out, steps } = config;
  const run = { stage: name, config };
  await checkRunFolder(out, run, { resume });
  const progress = new TrainProgress(host);
  using gpu = await openGpu();
  using stage = await open(gpu, config, { notice: (text) => progress.say(text) });
  await makeRunFolder(out, run);
  const { step, finished, files } = await stoppable((signal) => {
    signal.addEventListener("abort", () => progress.say("Finishing the step, then saving."));
    const onProgress = (state: RunProgress) => progress.show(state);
    return train(stage, { config, out, resume, log: new MetricsLog(out), signal, onProgress });
  });
  progress.end();
  const report = await writeReport(out, { title: `fluxsr train ${name}`, columns });
  const peak = `${(gpu.memory.peak / 2 ** 20).toFixed(1)} MiB on the GPU at most`;
  for (const file of files) host.out(`${file}\n`);
  progress.say(
    finished
      ? `Finished ${step} steps, ${peak}: see ${report}`
      : `Stopped after step ${step} of ${steps}, ${peak}: go on with --resume`,
  );
}

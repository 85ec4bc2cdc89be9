import { byteSize } from "@fluxsr/core";
import type { z } from "zod";
import type { Gpu } from "@fluxsr/kernels";
import {
  addConfigFlags,
  type Batch,
  configFlags,
  type ConfigSchema,
  loadConfig,
  MetricsLog,
  type OpenStage,
  type RunConfig,
  type RunProgress,
  train,
  writeReport,
} from "@fluxsr/train";
import type { Command } from "commander";
import { openChosenGpu } from "../_gpu.ts";
import type { Host } from "../_host.ts";
import { keepWithin, planRun } from "./_plan_run.ts";
import { planText } from "./_plan_text.ts";
import { stoppable } from "../_stoppable.ts";
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
  /** Reads what needs no GPU, once for the run and its plans. */
  readonly prepare: (
    config: z.infer<S>,
    tell: { notice: (text: string) => void; isPlan?: boolean },
  ) => OpenStage<B> | Promise<OpenStage<B>>;
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
    const run = withCheckpointing(config as z.infer<S> & RunConfig & { out: string });
    if (dryRun) await showPlan(stage, run, { host });
    else await runStage(stage, run, { resume, host, openGpu: () => openChosenGpu(command) });
  });
}

/** Blocks that are loaded in their turn cannot be kept for the gradient. A run that goes on elsewhere must still recompute. */
function withCheckpointing<C extends RunConfig>(config: C): C {
  return config.max_vram === undefined ? config : { ...config, checkpointing: true };
}

/** Validation is left out: it takes less than a step. */
async function showPlan<S extends ConfigSchema, B extends Batch>(
  { prepare }: StageCommand<S, B>,
  config: z.infer<S> & RunConfig,
  { host }: { host: Host },
): Promise<void> {
  const open = await prepare({ ...config, valid: undefined }, { notice: () => {}, isPlan: true });
  host.out(planText(await planRun(open, config)));
}

async function runStage<S extends ConfigSchema, B extends Batch>(
  { name, prepare, columns }: StageCommand<S, B>,
  config: z.infer<S> & RunConfig & { out: string },
  { resume, host, openGpu }: { resume: boolean; host: Host; openGpu: () => Promise<Gpu> },
): Promise<void> {
  const { out, steps } = config;
  const run = { stage: name, config };
  await checkRunFolder(out, run, { resume });
  const progress = new TrainProgress(host);
  const notice = (text: string) => progress.say(text);
  using gpu = await openGpu();
  const open = await prepare(config, { notice });
  const residentBlocks = await keepWithin(gpu, { open, config, say: notice });
  using stage = await open(gpu, { notice, residentBlocks });
  using _held = await makeRunFolder(out, run);
  const { step, finished, files } = await stoppable((signal) => {
    signal.addEventListener("abort", () => progress.say("Finishing the step, then saving."));
    const onProgress = (state: RunProgress) => progress.show(state);
    return train(stage, { config, out, resume, log: new MetricsLog(out), signal, onProgress });
  });
  progress.end();
  const report = await writeReport(out, { title: `fluxsr train ${name}`, columns });
  const peak = `${byteSize(gpu.memory.peak)} on the GPU at most`;
  for (const file of files) host.out(`${file}\n`);
  progress.say(
    finished
      ? `Finished ${step} steps, ${peak}: see ${report}`
      : `Stopped after step ${step} of ${steps}, ${peak}: go on with --resume`,
  );
}

import {
  autoencoderConfig,
  flowConfig,
  ftdConfig,
  openAutoencoderStage,
  openFlowStage,
  prepareFtd,
} from "@fluxsr/train";
import type { Command } from "commander";
import type { Host } from "../_host.ts";
import { registerStage } from "./_stage_command.ts";
import { registerPairs } from "./pairs.ts";
import { registerPreview } from "./preview.ts";

/** Adds the command `train` with its stages to `program`. */
export function registerTrain(program: Command, { host }: { host: Host }): void {
  const train = program.command("train").description("train a one-step model: its LoRA, or the networks below it");
  registerStage(train, {
    name: "ftd",
    description: "train the LoRA of the one-step model by flow trajectory distillation",
    isDefault: true,
    columns: ["LR enlarged", "teacher path", "one step", "HR"],
    schema: ftdConfig,
    prepare: prepareFtd,
  }, { host });
  registerPairs(train, { host });
  registerPreview(train, { host });
  registerStage(train, {
    name: "autoencoder",
    description: "train an autoencoder on pictures",
    columns: ["reconstruction", "truth"],
    schema: autoencoderConfig,
    prepare: (config, tell) => (gpu) => openAutoencoderStage(gpu, config, tell),
  }, { host });
  registerStage(train, {
    name: "flow",
    description: "train a flow transformer on pictures",
    columns: ["truth", "autoencoder", "from t = 0.5", "from noise"],
    schema: flowConfig,
    prepare: (config, tell) => (gpu) => openFlowStage(gpu, config, tell),
  }, { host });
}

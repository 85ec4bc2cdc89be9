/**
 * Training by Flow Trajectory Distillation: pairs, degradations, losses, the trainer and its stages.
 *
 * @module
 */
export { openAutoencoderStage } from "./autoencoder/autoencoder_stage.ts";
export { autoencoderConfig, type AutoencoderTrainingConfig } from "./config/autoencoder_config.ts";
export type { ConfigSchema } from "./config/fields.ts";
export { addConfigFlags, configFlags } from "./config/flags.ts";
export { type FlowConfig, flowConfig } from "./config/flow_config.ts";
export { type FtdConfig, ftdConfig } from "./config/ftd_config.ts";
export { loadConfig } from "./config/load_config.ts";
export { type PairsConfig, pairsConfig } from "./config/pairs_config.ts";
export { parseConfig } from "./config/parse_config.ts";
export { type BlurKernel, blurKernel } from "./data/degradation/blur_kernels.ts";
export { applyDegradation, degrade } from "./data/degradation/degrade.ts";
export { type DegradedPair, degradedPairs, type DegradedPairsOptions } from "./data/degradation/degraded_pairs.ts";
export { describeDegradation } from "./data/degradation/describe.ts";
export { type Degradation, drawDegradation } from "./data/degradation/draw.ts";
export { addField } from "./data/degradation/noise.ts";
export { type DegradationParameters, readDegradation } from "./data/degradation/parameters.ts";
export { type Preview, type PreviewOptions, previews } from "./data/degradation/preview.ts";
export { sharpen, type SharpenOptions } from "./data/degradation/usm.ts";
export { encodePrompts, type EncodePromptsOptions } from "./data/pairs/encode_prompts.ts";
export { type MakeOptions, makePairs } from "./data/pairs/make_pairs.ts";
export type { MadePair } from "./data/pairs/pair.ts";
export { type PairsPlan, planPairs } from "./data/pairs/plan_pairs.ts";
export type { TeacherPlan } from "./data/pairs/plan_teacher.ts";
export { type CheckedShard, checkPairs, openPairs, type Pairs, type TrainingPair } from "./data/pairs/pairs.ts";
export { openPictures, type Pictures } from "./data/pictures.ts";
export { openFlowStage } from "./flow/flow_stage.ts";
export { type FtdBatch, ftdGroups, type FtdNetworks, type FtdWeights } from "./ftd/ftd_groups.ts";
export { prepareFtd } from "./ftd/ftd_stage.ts";
export { GradientSum } from "./gradient_step.ts";
export { MetricsLog } from "./log/metrics_log.ts";
export { attentionDiversification, layerDiversity } from "./losses/attention_diversification.ts";
export { ftdLoss } from "./losses/ftd.ts";
export { klDivergence } from "./losses/kl.ts";
export { imageGradientError, meanAbsoluteError, meanSquaredError } from "./losses/reconstruction.ts";
export { tvLpipsLoss } from "./losses/tv_lpips.ts";
export { AdamW, type AdamWOptions } from "./optim/adamw.ts";
export { Ema } from "./optim/ema.ts";
export { learningRate, type Schedule, type ScheduleOptions } from "./optim/schedule.ts";
export { type BlocksPlan, type Plan, plan, type PlanOptions } from "./plan.ts";
export { BudgetPlanner } from "./budget_planner.ts";
export { type Random, randomOf } from "./random.ts";
export { writeReport } from "./report/report.ts";
export type { Batch, BatchIndex, LossGroup, OpenOptions, OpenStage, Stage, Terms, Validation } from "./stage.ts";
export { type RunConfig, type RunProgress, train, type TrainOptions, type TrainResult } from "./trainer.ts";
export { TrainingState } from "./training_state.ts";
export { contactSheet } from "./validation/sheet.ts";

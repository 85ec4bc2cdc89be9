/**
 * Training by Flow Trajectory Distillation. So far its loss; the trainer is to come.
 *
 * @module
 */
export { type FtdBatch, ftdGroups, type FtdNetworks, type FtdWeights } from "./ftd/ftd_groups.ts";
export { GradientSum } from "./gradient_step.ts";
export { attentionDiversification, layerDiversity } from "./losses/attention_diversification.ts";
export { ftdLoss } from "./losses/ftd.ts";
export { klDivergence } from "./losses/kl.ts";
export { imageGradientError, meanAbsoluteError, meanSquaredError } from "./losses/reconstruction.ts";
export { tvLpipsLoss } from "./losses/tv_lpips.ts";
export { AdamW, type AdamWOptions } from "./optim/adamw.ts";
export { Ema } from "./optim/ema.ts";
export { learningRate, type Schedule, type ScheduleOptions } from "./optim/schedule.ts";

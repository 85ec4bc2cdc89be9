/** The keys that the configurations of several stages share. */
import { count, flag, notNegative, oneOf, positive, share, text, texts, whole } from "./rules.ts";

/** How long, from which seed, and where to. */
export const run = {
  out: text.describe("folder of the run: config.json, metrics.jsonl, checkpoints, pictures and the result"),
  steps: count.default(1000).describe("optimiser steps of the whole run (not stated in the paper)"),
  max_seconds: positive.optional().describe(
    "seconds after which no step is begun and the run counts as finished; the learning rate then falls by the time " +
      "where that is further than the steps; default: no limit",
  ),
  seed: whole.default(1).describe("seed of all random numbers: the same seed gives the same run"),
  precision: oneOf(["auto", "native", "f32"]).default("auto").describe(
    "how frozen weights are kept: as in the file, in f32, or auto: f32 for small models, else as in the file",
  ),
  checkpointing: flag.default(false).describe(
    "keep only the inputs of blocks and compute them again for the gradients: less memory, more time",
  ),
};

/** AdamW and what surrounds it; only the learning rate differs between stages. */
export function optimiser({ lr }: { lr: number }) {
  return {
    batch_size: count.default(1).describe("samples in a forward pass (not stated in the paper)"),
    accumulate: count.default(1).describe(
      "forward passes whose gradients are averaged in a step (not stated in the paper)",
    ),
    lr: positive.default(lr).describe("AdamW's learning rate (not stated in the paper)"),
    lr_schedule: oneOf(["constant", "cosine"]).default("constant").describe(
      "the learning rate after the warmup: constant, or falling to 0 at the last step along half a cosine " +
        "(not stated in the paper)",
    ),
    warmup: whole.default(0).describe(
      "steps in which the learning rate rises linearly from 0 (not stated in the paper)",
    ),
    beta1: share.default(0.9).describe("decay of AdamW's mean of gradients (not stated in the paper)"),
    beta2: share.default(0.999).describe("decay of AdamW's mean of squared gradients (not stated in the paper)"),
    adam_eps: positive.default(1e-8).describe(
      "AdamW's addend to the root in the denominator (not stated in the paper)",
    ),
    weight_decay: notNegative.default(1e-2).describe("AdamW's weight decay (not stated in the paper)"),
    clip: notNegative.default(1).describe(
      "largest norm of all gradients together, 0 for no limit (not stated in the paper)",
    ),
    ema: share.default(0.999).describe(
      "decay of the moving average of the weights, which is the result; 0 for none (not stated in the paper)",
    ),
  };
}

/** What is written while the run goes on. */
export const logging = {
  log_every: count.default(10).describe(
    "steps whose figures are read back and logged at once; the last of them with the gradient norm of each term",
  ),
  valid: texts.optional().describe("pictures and folders of pictures to validate with; default: no validation"),
  validate_every: count.default(200).describe("steps between two validations"),
  validate_count: count.default(8).describe("pictures of a validation"),
  validate_size: count.min(96, "a whole number of at least 96").default(256).describe(
    "side of the validation's crops in pixels, at least 96 and a multiple of what networks divide pictures by",
  ),
  checkpoint_every: count.default(100).describe("steps between two checkpoints"),
  keep_checkpoints: count.default(3).describe("checkpoints that are kept: the newest ones"),
};

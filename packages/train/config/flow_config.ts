import { z } from "zod";
import { logging, optimiser, run } from "./groups.ts";
import { count, notNegative, oneOf, positive, real, text, texts } from "./rules.ts";

/** Pretraining of a flow transformer on the latents of pictures. The autoencoder, which is frozen, is always in f32. */
export const flowConfig = z.strictObject({
  pictures: texts.describe("pictures and folders of pictures to train on"),
  ...run,
  model: text.optional().describe(
    "model folder of the autoencoder, and of the transformer that is trained further; default: the bundled model",
  ),
  architecture: text.optional().describe(
    "JSON file with the sizes of a new transformer, in the form of a model folder's transformer/config.json; " +
      "default: the model's transformer is trained further",
  ),
  ...optimiser({ lr: 1e-4 }),
  crop: count.default(256).describe("side of the random crops in pixels, a multiple of the model's granularity"),
  t_density: oneOf(["uniform", "logit_normal"]).default("logit_normal").describe(
    "how times are drawn: uniform in (0, 1), or the logistic function of a normal number (no stage of the paper)",
  ),
  t_mean: real.default(0).describe("mean of that normal number; above 0 more noise (no stage of the paper)"),
  t_std: positive.default(1).describe("standard deviation of that normal number (no stage of the paper)"),
  guidance: notNegative.optional().describe(
    "guidance fed to a model that has an embedding of it; default: the model's (no stage of the paper)",
  ),
  dtype: oneOf(["f16", "f32"]).default("f16").describe("dtype of the finished transformer"),
  ...logging,
}).omit({ precision: true });

/** All keys of {@linkcode flowConfig}, checked. */
export type FlowConfig = z.infer<typeof flowConfig>;

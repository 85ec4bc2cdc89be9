import { z } from "zod";
import { logging, optimiser, run } from "./groups.ts";
import { count, notNegative, oneOf, text, texts } from "./rules.ts";

/** Pretraining of an autoencoder on pictures. No weights are frozen, so there is no precision to keep them in. */
export const autoencoderConfig = z.strictObject({
  pictures: texts.describe("pictures and folders of pictures to train on"),
  ...run,
  model: text.optional().describe("model folder whose autoencoder is trained further"),
  architecture: text.optional().describe(
    "JSON file with the sizes of a new autoencoder, in the form of a model folder's vae/config.json",
  ),
  ...optimiser({ lr: 1e-4 }),
  crop: count.default(256).describe("side of the random crops in pixels, a multiple of the autoencoder's factor"),
  l1: notNegative.default(1).describe("weight of the mean absolute error of pixels (no stage of the paper)"),
  gradient: notNegative.default(0.5).describe(
    "weight of the mean absolute error of differences between neighbouring pixels (no stage of the paper)",
  ),
  lpips: notNegative.default(1).describe("weight of LPIPS, where there are weights for it (no stage of the paper)"),
  lpips_weights: texts.optional().describe("weight files of the LPIPS network; default: no LPIPS"),
  kl: notNegative.default(1e-6).describe(
    "weight of the divergence of latents from the standard normal distribution (no stage of the paper)",
  ),
  dtype: oneOf(["f16", "f32"]).default("f16").describe("dtype of the finished weights"),
  ...logging,
}).omit({ precision: true }).refine(
  ({ model, architecture }) => (model === undefined) !== (architecture === undefined),
  {
    error: "given if and only if model is left out",
    path: ["architecture"],
  },
).refine(({ l1, gradient, lpips, lpips_weights }) => l1 > 0 || gradient > 0 || (lpips > 0 && lpips_weights), {
  error: "above 0 where no other error of pictures is used",
  path: ["l1"],
});

/** All keys of {@linkcode autoencoderConfig}, checked. */
export type AutoencoderTrainingConfig = z.infer<typeof autoencoderConfig>;

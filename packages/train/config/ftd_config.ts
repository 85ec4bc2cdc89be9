import { z } from "zod";
import { logging, optimiser, run } from "./groups.ts";
import { byteSize, count, factor, flag, notNegative, oneOf, shifts, text, texts, time } from "./rules.ts";

/** Flow Trajectory Distillation: the LoRA of the one-step model from noise-image pairs. */
export const ftdConfig = z.strictObject({
  model: text.optional().describe("model folder of the teacher and the student; default: the bundled model"),
  pairs: text.describe("folder of noise-image pairs that `train pairs` made with the same model"),
  ...run,
  max_vram: byteSize.optional().describe(
    "most memory that the GPU may hold, such as 24GB: blocks that have no room are read from disk when they are needed; " +
      "implies checkpointing; default: no limit",
  ),
  ...optimiser({ lr: 5e-5 }),
  rank: count.default(64).describe("rank of the LoRA (not stated in the paper)"),
  lora_targets: texts.optional().describe(
    "names of the linear modules that get an adapter; default: attention and MLP of all blocks " +
      "(not stated in the paper)",
  ),
  init_lora: text.optional().describe("LoRA file to start from; default: a new one, which changes nothing at first"),
  lora_dtype: oneOf(["f16", "f32"]).default("f16").describe("dtype of the finished LoRA file"),
  scale: factor.default(4).describe("times that low-resolution pictures are enlarged"),
  degradation: text.optional().describe(
    "JSON file that describes how pictures are degraded; default: the pipeline of Real-ESRGAN",
  ),
  T_L: time.optional().describe(
    "time at which low-resolution latents enter the flow; default: the model's (not stated in the paper)",
  ),
  guidance: notNegative.optional().describe(
    "guidance fed to a model that has an embedding of it; default: the model's (not stated in the paper)",
  ),
  token_shifts: shifts.optional().describe(
    "places of the grid of tokens over which the one step is the mean, 1, 2 or 4, which take as many times as long; " +
      "default: the model's (not in the paper)",
  ),
  notch: flag.optional().describe(
    "whether what alternates from latent to latent is taken out of the one step's velocity; " +
      "default: the model's (not in the paper)",
  ),
  residual: flag.optional().describe(
    "whether the result is x_L + D(z_0hat) - D(z_L) rather than D(z_0hat); default: the model's (not in the paper)",
  ),
  ftd: notNegative.default(1).describe("weight of the FTD loss, Eq. 17"),
  mse: notNegative.default(1).describe(
    "weight of the mean squared error in Eq. 21, between decoded pictures in [-1, 1] " +
      "(that it is in pixels is not stated in the paper)",
  ),
  latent_mse: notNegative.default(0).describe(
    "weight of the mean squared error between latents, which needs no decoder (not stated in the paper)",
  ),
  lambda: notNegative.default(1).describe("weight of TV-LPIPS in Eq. 21 (not stated in the paper)"),
  gamma: notNegative.default(0.5).describe("weight of LPIPS on total variations in Eq. 20 (not stated in the paper)"),
  adl: notNegative.default(0.1).describe(
    "weight mu of the attention diversification loss, Eq. 22-23 (not stated in the paper)",
  ),
  decode_crop: count.min(16, "a whole number of at least 16").optional().describe(
    "side of a random square of the pictures that is decoded for mse and TV-LPIPS, to save time and memory, " +
      "a multiple of what the autoencoder divides pictures by; default: all of them",
  ),
  lpips_weights: texts.optional().describe(
    "weight files of the LPIPS network, VGG16 and heads; default: fixed pseudo-random weights",
  ),
  skip_bad: flag.default(false).describe("leave out damaged shards of pairs instead of stopping"),
  ...logging,
}).refine(({ ftd, mse, latent_mse, lambda, adl }) => ftd + mse + latent_mse + lambda + adl > 0, {
  error: "above 0 where all other weights of losses are 0",
  path: ["ftd"],
});

/** All keys of {@linkcode ftdConfig}, checked. */
export type FtdConfig = z.infer<typeof ftdConfig>;

import { z } from "zod";
import { run } from "./groups.ts";
import { count, flag, notNegative, oneOf, positive, text } from "./rules.ts";

/** Noise-image pairs of the teacher. */
export const pairsConfig = z.strictObject({
  out: text.describe("folder of the pairs; one that has pairs of the same settings is added to"),
  model: text.optional().describe("model folder of the teacher, used without its LoRA; default: the bundled model"),
  count: count.default(1000).describe("pairs in all, may be raised later; the paper uses 2400"),
  size: count.default(512).describe(
    "side of the pictures in pixels, a multiple of the model's granularity; the paper uses 1024",
  ),
  steps: count.default(28).describe("steps of the teacher's sampler (not stated in the paper)"),
  guidance: notNegative.default(3.5).describe(
    "guidance fed to a teacher that has an embedding of it (not stated in the paper)",
  ),
  schedule: oneOf(["flux", "uniform"]).default("flux").describe(
    "times of the steps: shifted towards noise as FLUX.1-dev's, or evenly spaced",
  ),
  max_seconds: positive.optional().describe(
    "seconds after which no pair is begun, which is no failure; default: no limit",
  ),
  seed: run.seed,
  from_images: text.optional().describe(
    "folder of pictures: noise is found for crops of them by running the flow backwards, instead of pictures for noise",
  ),
  turn: flag.default(false).describe(
    "whether the crops of `from_images` are mirrored and turned by quarters at random (not stated in the paper)",
  ),
  prompts: text.optional().describe(
    "text file with a prompt in every line, used in turn and encoded by the model folder's text encoders; or a " +
      ".safetensors file with embeddings of P prompts, txt [P, T, context_in_dim] and y [P, vec_in_dim]; " +
      "default: the model's own text (not stated in the paper)",
  ),
  prompt_tokens: count.min(2, "a whole number from 2 to 4096").max(4096, "a whole number from 2 to 4096").default(512)
    .describe("tokens of T5 that prompts in a text file are filled up to: 512 for FLUX.1-dev"),
  batch_size: count.default(1).describe(
    "pairs that are made together; more keep a large GPU busy, and give other last bits",
  ),
  pairs_per_shard: count.default(64).describe("pairs in a file; an interruption loses no finished file"),
  precision: run.precision,
}).refine(({ turn, from_images }) => !turn || from_images !== undefined, {
  error: "false without from_images, since only crops of pictures are turned",
  path: ["turn"],
});

/** All keys of {@linkcode pairsConfig}, checked. */
export type PairsConfig = z.infer<typeof pairsConfig>;

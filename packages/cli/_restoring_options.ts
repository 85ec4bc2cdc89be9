import { BUNDLED_MODEL } from "@fluxsr/core";
import { Option } from "commander";
import { number, path, wholeNumber } from "./_options.ts";

/** The options that say how pictures are restored, the same wherever that is done, by their names. */
export const RESTORING = {
  model: () =>
    new Option("-m, --model <dir>", "model folder").default(BUNDLED_MODEL, "the bundled model")
      .argParser(path("--model")),
  lora: () =>
    new Option("--lora <path>", "LoRA, or folder of a LoRA with its text, to use instead of the model's own")
      .argParser(path("--lora")),
  tile: () =>
    new Option("--tile <px>", "tile side in pixels of the result (default: chosen for the adapter)")
      .argParser(wholeNumber("--tile", { min: 1 })),
  strength: () =>
    new Option("--strength <share>", "how much is restored, 0 to 1: less for pictures that are clean").default(1)
      .argParser(number("--strength", { min: 0, max: 1 })),
  seed: () =>
    new Option("--seed <n>", "sample the encoder with this seed (default: its mean)")
      .argParser(wholeNumber("--seed", { min: 0 })),
} as const;

import { InputError } from "@fluxsr/core";
import { describe, expect, test } from "vitest";
import { autoencoderConfig } from "../../../packages/train/config/autoencoder_config.ts";
import { flowConfig } from "../../../packages/train/config/flow_config.ts";
import { ftdConfig } from "../../../packages/train/config/ftd_config.ts";
import { pairsConfig } from "../../../packages/train/config/pairs_config.ts";
import { parseConfig } from "../../../packages/train/config/parse_config.ts";

const LEAST = { pairs: "pairs", out: "run" };

function errorOf(json: unknown, schema: Parameters<typeof parseConfig>[0] = ftdConfig): InputError {
  try {
    parseConfig(schema, json, { file: "a.json" });
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error("Nothing was thrown");
}

describe("parseConfig()", () => {
  test("fills in the defaults of every stage", () => {
    expect(parseConfig(ftdConfig, LEAST)).toMatchObject({
      ...LEAST,
      steps: 1000,
      lr: 5e-5,
      rank: 64,
      gamma: 0.5,
      ema: 0.999,
      checkpointing: false,
      lora_dtype: "f16",
    });
    expect(parseConfig(ftdConfig, LEAST)).not.toHaveProperty("T_L");
    expect(parseConfig(pairsConfig, { out: "a" })).toMatchObject({ size: 512, steps: 28, guidance: 3.5, seed: 1 });
    expect(parseConfig(flowConfig, { out: "a", pictures: ["b"] })).toMatchObject({ lr: 1e-4, crop: 256 });
    expect(parseConfig(autoencoderConfig, { out: "a", pictures: ["b"], model: "c" })).toMatchObject({ kl: 1e-6 });
  });

  test("keeps what is given", () => {
    const given = { ...LEAST, lr: 1e-3, lora_targets: ["img_attn.qkv"], T_L: 1, clip: 0, skip_bad: true };
    expect(parseConfig(ftdConfig, given)).toMatchObject(given);
  });

  test.each([["lr_shedule", "lr_schedule"], ["batchsize", "batch_size"], ["t_L", "T_L"], ["LR", "lr"]])(
    "an unknown key %s is named with the nearest one",
    (key, nearest) => {
      const { message, hint } = errorOf({ ...LEAST, [key]: 1 });
      expect(message).toBe(`Cannot use configuration "a.json": keys must be known ones: it has "${key}"`);
      expect(hint).toBe(`did you mean "${nearest}"?`);
    },
  );

  test("an unknown key explains a missing one", () => {
    const { message, hint } = errorOf({ out: "run", pears: "pairs" });
    expect([message, hint]).toEqual([expect.stringContaining('it has "pears"'), 'did you mean "pairs"?']);
  });

  test.each([
    [{ steps: 0 }, "steps must be a whole number of at least 1: it is 0"],
    [{ steps: 1.5 }, "steps must be a whole number of at least 1: it is 1.5"],
    [{ steps: "9" }, 'steps must be a whole number of at least 1: it is "9"'],
    [{ lr: -1 }, "lr must be a number above 0: it is -1"],
    [{ lr: null }, "lr must be a number above 0: it is null"],
    [{ ema: 1 }, "ema must be a number from 0 to 1, without 1: it is 1"],
    [{ T_L: 0 }, "T_L must be a number above 0 and at most 1: it is 0"],
    [{ token_shifts: 3 }, "token_shifts must be 1, 2 or 4: it is 3"],
    [{ scale: 9 }, "scale must be a whole number from 1 to 8: it is 9"],
    [{ lr_schedule: "linear" }, 'lr_schedule must be one of constant, cosine: it is "linear"'],
    [{ skip_bad: 1 }, "skip_bad must be true or false: it is 1"],
    [{ valid: "photos" }, 'valid must be a list of texts that are not empty: it is "photos"'],
    [{ valid: ["a", ""] }, 'valid must be a list of texts that are not empty: it is ["a",""]'],
    [{ out: "" }, 'out must be text that is not empty: it is ""'],
  ])("%j breaks a rule", (part, state) => {
    expect(errorOf({ ...LEAST, ...part }).message).toBe(`Cannot use configuration "a.json": ${state}`);
  });

  test("only pairs of pictures are turned", () => {
    expect(parseConfig(pairsConfig, { out: "a", turn: true, from_images: "b" })).toMatchObject({ turn: true });
    expect(errorOf({ out: "a", turn: true }, pairsConfig).message).toContain("turn must be false without from_images");
  });

  test("a key without a default must be given", () => {
    const { message, hint } = errorOf({ out: "run" });
    expect(message).toBe(`Cannot use configuration "a.json": pairs must be text that is not empty: it is missing`);
    expect(hint).toBe("give it in the file of --config, or with --pairs");
  });

  test("an autoencoder is either continued or new", () => {
    const least = { out: "a", pictures: ["b"] };
    const rule = "architecture must be given if and only if model is left out";
    expect(errorOf(least, autoencoderConfig).message).toContain(`${rule}: it is missing`);
    expect(errorOf({ ...least, model: "m", architecture: "c" }, autoencoderConfig).message).toContain(
      `${rule}: it is "c"`,
    );
  });

  test.each([[null], [[]], ["text"], [undefined]])("%j is no configuration", (json) => {
    expect(errorOf(json).message).toMatch(/must be a JSON object: it is /);
  });
});

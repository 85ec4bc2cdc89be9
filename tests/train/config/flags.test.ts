import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addConfigFlags, configFlags } from "../../../packages/train/config/flags.ts";
import { ftdConfig } from "../../../packages/train/config/ftd_config.ts";
import { parseConfig } from "../../../packages/train/config/parse_config.ts";

/** The keys that `args` give. */
function flags(...args: string[]): Record<string, unknown> {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addConfigFlags(command, ftdConfig);
  command.parse(args, { from: "user" });
  return configFlags(command, ftdConfig);
}

describe("flags of a configuration", () => {
  test("only those given are seen", () => {
    expect(flags()).toEqual({});
    expect(flags("--steps", "5")).toEqual({ steps: 5 });
  });

  test("have the types of their keys", () => {
    const args = ["--batch-size", "2", "--lr", "1e-4", "--t-l", ".5", "--valid", "a,b", "--out", "7"];
    expect(flags(...args, "--lr-schedule", "cosine")).toEqual({
      batch_size: 2,
      lr: 1e-4,
      T_L: 0.5,
      valid: ["a", "b"],
      out: "7",
      lr_schedule: "cosine",
    });
  });

  test("booleans can be set and unset", () => {
    expect(flags("--skip-bad", "--no-checkpointing")).toEqual({ skip_bad: true, checkpointing: false });
  });

  test("go before the file, the file before the defaults", () => {
    const file = { pairs: "p", out: "o", steps: 3, lr: 1, skip_bad: true };
    const merged = parseConfig(ftdConfig, { ...file, ...flags("--steps", "4", "--no-skip-bad") });
    expect(merged).toMatchObject({ steps: 4, lr: 1, skip_bad: false, rank: 64 });
  });

  test.each([
    [["--steps", "0"], "It must be a whole number of at least 1."],
    [["--steps", "0x4"], "It must be a whole number of at least 1."],
    [["--lr", "fast"], "It must be a number above 0."],
    [["--clip=-1"], "It must be a number of at least 0."],
    [["--valid", "a,"], "It must be a list of texts that are not empty."],
    [["--precision", "f64"], "It must be one of auto, native, f32."],
    [["--step", "1"], "unknown option '--step'"],
  ])("%j is refused", (args, rule) => {
    expect(() => flags(...args)).toThrow(rule);
  });
});

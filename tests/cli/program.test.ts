import { InputError } from "@fluxsr/core";
import {
  BufferLimitError,
  DeviceLostError,
  GpuError,
  OutOfMemoryError,
  UnsupportedFeatureError,
} from "@fluxsr/kernels";
import { Command } from "commander";
import { afterEach, describe, expect, test } from "vitest";
import { runUpscale } from "../../packages/cli/_run_upscale.ts";
import type { UpscaleRequest } from "../../packages/cli/_upscale_request.ts";
import { createProgram, runProgram } from "../../packages/cli/program.ts";
import { registerUpscale } from "../../packages/cli/upscale.ts";
import { fakeHost, folderWith, removeFolders } from "./_fakes.ts";

async function run(...args: string[]) {
  const host = fakeHost();
  await runProgram(args, { host });
  return host;
}

/** Runs a program whose only command fails. */
async function fail(error: unknown, ...args: string[]) {
  const host = fakeHost();
  const program = new Command().option("--debug").exitOverride();
  program.command("fail").action(() => {
    throw error;
  });
  await runProgram(["fail", ...args], { host, program });
  return host;
}

describe("runProgram() ends with 2 for", () => {
  test.each([
    [["upscal"], "Unknown command 'upscal'", "did you mean upscale?"],
    [["upscale", "--scal", "2", "x.png"], "Unknown option '--scal'", "did you mean --scale?"],
    [["upscale"], "Missing required argument 'input'", "--help"],
    [["upscale", "x.png", "--seed"], "Option '--seed <n>' argument missing", "--help"],
    [["doctor", "extra"], "Too many arguments for 'doctor'", "--help"],
  ])("%j", async (args, message, hint) => {
    const { stderr, stdout, code } = await run(...args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.split("\n")[0]).toContain(message);
    expect(stderr.split("\n")[1]).toMatch(/^Hint: /);
    expect(stderr.split("\n")[1]).toContain(hint);
    expect(stderr.split("\n")).toHaveLength(3);
  });

  test.each([
    ["--scale", "9", "a whole number from 1 to 8"],
    ["--scale", "1.5", "a whole number from 1 to 8"],
    ["--tile", "0", "a whole number of at least 1"],
    ["--tile", "-64", "a whole number of at least 1"],
    ["--tile-overlap", "x", "a whole number of at least 0"],
    ["--strength", "1.1", "a number from 0 to 1"],
    ["--seed", "-1", "a whole number of at least 0"],
    ["--color-fix", "blue", "one of wavelet, adain, none"],
    ["--precision", "f64", "one of auto, native, f32"],
    ["--output", "", "a path"],
    ["--model", "", "a path"],
    ["--lora", "", "a path"],
    ["--gpu", "metal", "one of deno, dawn"],
    ["--max-vram", "12", "a size such as 500MB or 5GB"],
  ])("%s %j", async (flag, value, rule) => {
    const { stderr, code } = await run("upscale", "x.png", flag, value);
    expect(code).toBe(2);
    expect(stderr).toBe(`Cannot use ${flag} "${value}": it must be ${rule}\n`);
  });

  test("a GPU in FLUXSR_GPU that is none", async () => {
    Deno.env.set("FLUXSR_GPU", "metal");
    const { stderr, code } = await run("doctor").finally(() => Deno.env.delete("FLUXSR_GPU"));
    expect(code).toBe(2);
    expect(stderr).toBe(`Cannot use --gpu "metal": it must be one of deno, dawn\n`);
  });

  test("no command at all, with the help", async () => {
    const { stderr, code } = await run();
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: fluxsr");
  });
});

test.each([["--help"], ["upscale", "--help"], ["--version"]])(
  "runProgram() prints %s %s on stdout",
  async (...args) => {
    const { stdout, stderr, code } = await run(...args);
    expect(code).toBeUndefined();
    expect(stderr).toBe("");
    expect(stdout).not.toBe("");
  },
);

describe("runProgram() turns an error into", () => {
  test("its line and its hint", async () => {
    const { stderr, code } = await fail(new InputError("Cannot read it", { hint: "try another" }));
    expect(code).toBe(1);
    expect(stderr).toBe("Cannot read it\nHint: try another\n");
  });

  test("its line alone where there is no hint", async () => {
    expect((await fail(new UnsupportedFeatureError("Cannot open a GPU"))).stderr).toBe("Cannot open a GPU\n");
  });

  test.each([GpuError, UnsupportedFeatureError, OutOfMemoryError, BufferLimitError, DeviceLostError])(
    "the line and the hint of a %o, without its class",
    async (Kind) => {
      const { stderr } = await fail(new Kind("Cannot allocate it", "do less at a time"));
      expect(stderr).toBe("Cannot allocate it\nHint: do less at a time\n");
    },
  );

  test("one line, whatever its message holds", async () => {
    const { stderr } = await fail(new InputError(`Cannot read "a\nb\x1b[2J.png"`));
    expect(stderr).toBe(`Cannot read "a b [2J.png"\n`);
  });

  test("its class and a hint to look further if it is a mistake in the program", async () => {
    const { stderr, code } = await fail(new TypeError("x is undefined"));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^TypeError: x is undefined\nHint: .*--debug.*\n$/);
  });

  test("the text of what is no Error", async () => {
    expect((await fail("odd")).stderr).toMatch(/^odd\nHint: /);
  });

  test("its stack and that of its cause, only with --debug", async () => {
    const error = new InputError("Cannot read it", { cause: new Error("disk on fire") });
    expect((await fail(error)).stderr).not.toContain("    at ");
    const { stderr } = await fail(error, "--debug");
    expect(stderr).toMatch(/^Cannot read it\nInputError: Cannot read it\n {4}at /);
    expect(stderr).toMatch(/Caused by Error: disk on fire\n {4}at /);
  });
});

test("upscale passes its options on, with defaults", async () => {
  const requests: UpscaleRequest[] = [];
  const host = fakeHost();
  const stub: typeof runUpscale = (request) => {
    requests.push(request);
    return Promise.resolve(1);
  };
  const parse = async (...args: string[]) => {
    const program = new Command().option("--debug").exitOverride();
    registerUpscale(program, { host, run: stub });
    await runProgram(["upscale", ...args], { host, program });
  };
  await parse("a.png");
  expect(host.code).toBe(1);
  expect(requests[0]).toEqual({
    inputs: ["a.png"],
    model: expect.stringMatching(/models.nano$/),
    scale: 4,
    strength: 1,
    colorFix: "wavelet",
    precision: "auto",
  });
  await parse(
    ...["a.png", "b.png", "-o", "out", "-m", "dir", "--lora", "l", "-s", "2", "--tile", "64", "--tile-overlap", "8"],
    ...[
      "--color-fix",
      "adain",
      "--precision",
      "native",
      "--seed",
      "5",
      "--strength",
      "0.6",
      "--overwrite",
      "--compare",
      "--json",
      "--debug",
    ],
  );
  expect(requests[1]).toEqual({
    inputs: ["a.png", "b.png"],
    output: "out",
    model: "dir",
    lora: "l",
    scale: 2,
    tile: 64,
    tileOverlap: 8,
    colorFix: "adain",
    precision: "native",
    seed: 5,
    strength: 0.6,
    overwrite: true,
    compare: true,
    json: true,
    debug: true,
  });
});

afterEach(removeFolders);

test("upscale takes the scale of the model, unless one is given", async () => {
  const scales: number[] = [];
  const run: typeof runUpscale = ({ scale }) => Promise.resolve(scales.push(scale));
  const model = folderWith({ "fluxsr.json": '{"scale": 2}' });
  for (const args of [[], ["-s", "3"]]) {
    const host = fakeHost();
    const program = new Command().exitOverride();
    registerUpscale(program, { host, run });
    await runProgram(["upscale", "a.png", "-m", model, ...args], { host, program });
  }
  expect(scales).toEqual([2, 3]);
});

test("createProgram() has its commands", () => {
  expect(createProgram({ host: fakeHost() }).commands.map((command) => command.name()))
    .toEqual(["upscale", "train", "eval", "degrade", "convert", "embed", "synth", "golden", "doctor"]);
});

import { Command } from "commander";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registerEval } from "../../../packages/cli/eval/eval.ts";
import type { EvalRequest } from "../../../packages/cli/eval/_run_eval.ts";
import { runProgram } from "../../../packages/cli/program.ts";
import { tinyModel } from "../../e2e/_tiny_model.ts";
import { picture } from "../../e2e/_pictures.ts";
import { fakeHost, folderWith, namesIn, removeFolders } from "../_fakes.ts";

/** A folder with a tiny model, a folder of pairs, one of another program's pictures, and files in the way. */
let folder = "";
beforeAll(async () => {
  folder = folderWith({ "there.json": "{}", "pairs/LR/notes.txt": "", "lonely/LR/x": "", "weights.safetensors": "" });
  for (const name of ["pairs/GT", "other", "wrong"]) await Deno.mkdir(join(folder, name));
  await tinyModel(join(folder, "model"));
  await picture(10, 12).png().toFile(join(folder, "pairs", "LR", "a.png"));
  await picture(20, 24).png().toFile(join(folder, "pairs", "GT", "a.png"));
  await picture(20, 24).png().toFile(join(folder, "other", "a_x2.png"));
});
afterAll(removeFolders);

async function run(args: readonly string[], replaced: Partial<Parameters<typeof registerEval>[1]> = {}) {
  const host = fakeHost();
  const program = new Command().exitOverride().configureOutput({ outputError: () => {} });
  registerEval(program, { host, ...replaced });
  await runProgram(["eval", ...args.map((arg) => arg.replace("FOLDER", folder))], { host, program });
  return host;
}

test("passes its options on, with defaults", async () => {
  const requests: EvalRequest[] = [];
  const stub = (request: EvalRequest) => Promise.resolve(void requests.push(request));
  await run(["--pairs", "p"], { run: stub });
  expect(requests[0]).toEqual({ pairs: "p", model: expect.stringMatching(/models/), also: new Map(), strength: 1 });
  await run([
    ...["--pairs", "p", "-m", "m", "--lora", "l", "--also", "x=a=b", "--also", "y.2=c", "--tile", "64", "--seed", "5"],
    ...["--strength", "0.5"],
    ...[
      "--crop-border",
      "0",
      "--lpips-weights",
      "v, w",
      "--json",
      "j",
      "--markdown",
      "d",
      "--keep",
      "k",
      "--overwrite",
    ],
  ], { run: stub });
  expect(requests[1]).toEqual({
    pairs: "p",
    model: "m",
    lora: "l",
    also: new Map([["x", "a=b"], ["y.2", "c"]]),
    tile: 64,
    seed: 5,
    strength: 0.5,
    cropBorder: 0,
    lpipsWeights: ["v", "w"],
    json: "j",
    markdown: "d",
    keep: "k",
    overwrite: true,
  });
});

test("judges the model beside classic enlargement and another program, and writes it all down", async () => {
  const files = ["--json", "FOLDER/e.json", "--markdown", "FOLDER/e.md", "--keep", "FOLDER/keep"];
  const args = ["--pairs", "FOLDER/pairs", "-m", "FOLDER/model", "--also", "other=FOLDER/other", ...files];
  const { stdout, stderr, code } = await run(args);
  expect(code).toBeUndefined();
  expect(stderr).toBe("LPIPS and DISTS with pseudo-random VGG16: no --lpips-weights are given\n");
  const lines = stdout.trimEnd().split("\n").map((line) => line.trim().split(/\s+/));
  expect(lines.map((words) => words[0])).toEqual([
    ...["picture", "a", "bicubic", "lanczos", "other", "GT"],
    ...["mean", "bicubic", "lanczos", "other", "GT"],
  ]);
  expect(lines[4]).toEqual([
    "other",
    "inf",
    "1.0000",
    "0.00000",
    expect.stringMatching(/^-?0.0000$/),
    "-",
    "-",
    "-",
    "0.00",
    expect.any(String),
  ]);

  const json = JSON.parse(await Deno.readTextFile(join(folder, "e.json")));
  expect(json).toMatchObject({
    scale: 2,
    crop_border: 2,
    network: "pseudo-random VGG16",
    model: { lora: null, strength: 1 },
  });
  expect(Object.keys(json.means)).toEqual(["model", "bicubic", "lanczos", "other", "GT"]);
  for (const method of ["model", "bicubic", "lanczos"]) {
    const { psnr_y, ssim_y, lpips, dists, niqe, grid } = json.means[method];
    expect([niqe, grid]).toEqual([null, null]);
    expect(psnr_y).toBeGreaterThan(5);
    expect(ssim_y).toBeLessThan(1);
    expect(lpips).toBeGreaterThan(0);
    expect(dists).toBeGreaterThan(0);
  }
  expect(json.means).toEqual(json.pictures[0].figures);
  expect(await Deno.readTextFile(join(folder, "e.md"))).toContain("1 pair, x2");
  expect(namesIn(join(folder, "keep"))).toEqual(["bicubic", "lanczos", "model", "other"]);
  const kept = await sharp(join(folder, "keep", "model", "a.png")).metadata();
  expect([kept.width, kept.height]).toEqual([20, 24]);
  const again = await run(["--pairs", "FOLDER/pairs", "-m", "FOLDER/model", "--keep", "FOLDER/keep"]);
  expect([again.code, again.stdout]).toEqual([1, ""]); // before any work
  expect(again.stderr).toContain('a.png": the file must not exist yet: it does');
});

describe("refuses", () => {
  test.each<[string[], number, string]>([
    [[], 2, "--pairs <dir>"],
    [["--pairs", "FOLDER/none"], 1, 'none/LR": it must be a folder that can be read: there is none'],
    [["--pairs", "FOLDER/lonely"], 1, 'lonely/LR": the folder must hold a picture'],
    [["--pairs", "FOLDER/pairs", "--also", "x"], 2, 'Cannot use --also "x": it must be a name'],
    [["--pairs", "FOLDER/pairs", "--also", "x=a", "--also", "x=b"], 2, "names must differ"],
    [["--pairs", "FOLDER/pairs", "--also", "model=FOLDER/other"], 2, '"model" is always there'],
    [["--pairs", "FOLDER/pairs", "--also", "x=FOLDER/wrong"], 1, 'wrong": the folder must hold a picture'],
    [["--pairs", "FOLDER/pairs", "--json", "FOLDER/there.json"], 1, "the file must not exist yet: it does"],
    [["--pairs", "FOLDER/pairs", "--markdown", "FOLDER/no/e.md"], 1, "its folder must exist"],
    [["--pairs", "FOLDER/pairs", "--keep", "FOLDER/there.json"], 1, "the folder must be writable"],
    [["--pairs", "FOLDER/pairs", "--crop-border", "-1"], 2, 'Cannot use --crop-border "-1"'],
    [["--pairs", "FOLDER/pairs", "-m", "FOLDER/model", "--lpips-weights", "FOLDER/weights.safetensors"], 1, "weights"],
    [["--pairs", "FOLDER/pairs", "--lpips-weights", "a,"], 2, "it must be a path"],
  ])("%j with exit code %i: %s", async (args, code, message) => {
    const host = await run(args);
    expect([host.code, host.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(host.stdout).toBe("");
  });
});

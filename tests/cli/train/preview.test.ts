import { Command } from "commander";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProgram } from "../../../packages/cli/program.ts";
import { registerPreview } from "../../../packages/cli/train/preview.ts";
import { gradient } from "../../core/image/pictures.ts";
import { fakeHost, folderWith, namesIn, removeFolders } from "../_fakes.ts";

/** A folder with two pictures and one that is too small. */
let folder = "";
beforeEach(async () => {
  folder = folderWith({ "mild.json": '{"second_order_prob": 0, "sharpen": null}', "bad.json": '{"frist": {}}' });
  for (const [name, width, height] of [["a.png", 50, 40], ["b.jpg", 40, 50], ["small.png", 40, 20]] as const) {
    await sharp(gradient(width, height), { raw: { width, height, channels: 3 } }).toFile(`${folder}/${name}`);
  }
});
afterEach(removeFolders);

/** What `fluxsr preview FOLDER ...args` prints and how it ends. */
async function run(...args: string[]) {
  const host = fakeHost();
  const program = new Command().exitOverride().configureOutput({ outputError: () => {} });
  registerPreview(program, { host });
  await runProgram(["preview", ...args], { host, program });
  return host;
}

test("draws a sheet, with a line for each row, the same for the same seed", async () => {
  const args = [folder, "--size", "32", "--count", "3"];
  const first = await run(...args, "--out", `${folder}/1.png`);
  expect([first.code, first.stderr]).toEqual([
    undefined,
    `left out ${folder}/small.png: it has 40 x 20 pixels, crops have 32 x 32\n`,
  ]);
  const lines = first.stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines.slice(0, 2).map((line) => line.split(/\s+/)[1]).sort()).toEqual(["a.png", "b.jpg"]);
  lines.forEach((line, i) => expect(line).toMatch(new RegExp(`^${i + 1}  [ab]\\.\\w+  sharpen, .*, jpeg \\d+`)));

  const { width, height } = await sharp(`${folder}/1.png`).metadata();
  expect(width).toBeGreaterThanOrEqual(2 * 32);
  expect(height).toBeGreaterThanOrEqual(3 * 32);

  await Deno.remove(`${folder}/1.png`); // or it would be among the pictures
  const second = await run(...args, "--out", `${folder}/1.png`);
  expect(second.stdout).toBe(first.stdout);
  expect((await run(...args, "--seed", "2", "--overwrite", "--out", `${folder}/1.png`)).stdout).not.toBe(first.stdout);
});

test("takes parameters from a file", async () => {
  const args = [`${folder}/a.png`, "--size", "32", "--count", "2", "--out", `${folder}/sheet.png`];
  const { stdout, code } = await run(...args, "--degradation", `${folder}/mild.json`);
  expect(code).toBeUndefined();
  expect(stdout).not.toContain("sharpen");
  for (const line of stdout.trimEnd().split("\n")) expect(line.match(/jpeg/g)).toHaveLength(1);
});

test.each<[string[], number, string]>([
  [["--size", "33"], 2, "Cannot use --size 33: it must be a multiple of --scale, 4"],
  [["--size", "64"], 1, "one must have 64 x 64 pixels: none has"],
  [["--count", "0"], 2, 'Cannot use --count "0": it must be a whole number of at least 1'],
  [["--out", "sheet.jpg"], 2, 'Cannot use --out "sheet.jpg": it must end in .png'],
  [["--out", "FOLDER/a.png"], 1, "the file must not exist yet: it does"],
  [["--degradation", "FOLDER/bad.json"], 1, 'keys must be known ones: it has "frist"'],
  [["FOLDER/none.png"], 1, 'none.png": the file must exist'],
])("%j: exit code %i, %s", async (args, code, message) => {
  const before = namesIn(folder);
  const given = args.map((arg) => arg.replace("FOLDER", folder));
  const host = await run(folder, "--size", "32", "--out", `${folder}/sheet.png`, ...given);
  expect([host.code, host.stderr]).toEqual([code, expect.stringContaining(message)]);
  expect(namesIn(folder)).toEqual(before);
});

test("needs --out", async () => {
  const { code, stderr } = await run(folder);
  expect(code).toBe(2);
  expect(stderr).toContain("--out <file>");
});

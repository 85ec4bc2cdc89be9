import { Command } from "commander";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { registerDegrade } from "../../packages/cli/degrade.ts";
import { runProgram } from "../../packages/cli/program.ts";
import { gradient } from "../core/image/pictures.ts";
import { fakeHost, folderWith, namesIn, removeFolders } from "./_fakes.ts";

/** A folder with two pictures and one that is too small. */
let folder = "";
beforeEach(async () => {
  folder = folderWith({ "bad.json": '{"frist": {}}', "file": "" });
  for (const [name, width, height] of [["a.png", 50, 40], ["b.jpg", 40, 51], ["small.png", 40, 20]] as const) {
    await sharp(gradient(width, height), { raw: { width, height, channels: 3 } }).toFile(`${folder}/${name}`);
  }
});
afterEach(removeFolders);

async function run(...args: string[]) {
  const host = fakeHost();
  const program = new Command().exitOverride().configureOutput({ outputError: () => {} });
  registerDegrade(program, { host });
  await runProgram(["degrade", ...args], { host, program });
  return host;
}

async function sizesIn(folder: string): Promise<[string, number, number][]> {
  return await Promise.all(
    namesIn(folder).map(async (name): Promise<[string, number, number]> => {
      const { width, height } = await sharp(`${folder}/${name}`).metadata();
      return [name, width, height];
    }),
  );
}

test("writes pairs of the same names, a line for each, the same for the same seed", async () => {
  const args = [folder, "--size", "32", "--count", "3", "--scale", "2", "--out"];
  const first = await run(...args, `${folder}/pairs`);
  expect([first.code, first.stderr]).toEqual([
    undefined,
    `left out ${folder}/small.png: it has 40 x 20 pixels, crops have 32 x 32\n`,
  ]);
  const [low, truth] = [await sizesIn(`${folder}/pairs/LR`), await sizesIn(`${folder}/pairs/GT`)];
  expect(low.map(([name]) => name)).toEqual(truth.map(([name]) => name));
  for (const [name, width, height] of low) expect([name, width, height]).toEqual([expect.any(String), 16, 16]);
  for (const [name, width, height] of truth) {
    expect([name, width, height]).toEqual([expect.stringMatching(/^[123]_[ab]\.png$/), 32, 32]);
  }
  const lines = first.stdout.trimEnd().split("\n");
  expect(lines.map((line) => `${line.split(/\s+/)[0]}.png`)).toEqual(low.map(([name]) => name));
  for (const line of lines) {
    expect(line.match(/jpeg/g)).toHaveLength(2);
    expect(line).not.toContain("sharpen");
  }
  const second = await run(...args, `${folder}/again`);
  expect(second.stdout).toBe(first.stdout);
  for (const path of namesIn(`${folder}/pairs/LR`).flatMap((name) => [`LR/${name}`, `GT/${name}`])) {
    expect(await Deno.readFile(`${folder}/again/${path}`)).toEqual(await Deno.readFile(`${folder}/pairs/${path}`));
  }
});

test("takes whole pictures once, and one round of degradation", async () => {
  const { stdout, code } = await run(`${folder}/a.png`, `${folder}/b.jpg`, "--order", "first", "--out", `${folder}/p`);
  expect(code).toBeUndefined();
  for (const line of stdout.trimEnd().split("\n")) expect(line.match(/jpeg/g)).toHaveLength(1);
  const sizes = (await sizesIn(`${folder}/p/GT`)).map(([, width, height]) => `${width} x ${height}`).sort();
  expect(sizes).toEqual(["40 x 48", "48 x 40"]);
  expect((await sizesIn(`${folder}/p/LR`)).map(([, width, height]) => `${width} x ${height}`).sort()).toEqual([
    "10 x 12",
    "12 x 10",
  ]);
});

test("takes the rounds that the file of parameters says, unless --order is given", async () => {
  await Deno.writeTextFile(`${folder}/clean.json`, JSON.stringify({ clean_prob: 1 }));
  const args = [`${folder}/a.png`, "--degradation", `${folder}/clean.json`];
  expect((await run(...args, "--out", `${folder}/p`)).stdout).toMatch(/^1_a {2}fit (area|bilinear|bicubic)\n$/);
  const { stdout } = await run(...args, "--order", "first", "--out", `${folder}/q`);
  expect(stdout.match(/jpeg/g)).toHaveLength(1);
});

test("only makes pictures smaller, without a round of degradation", async () => {
  const { stdout, code } = await run(`${folder}/a.png`, "--order", "none", "--out", `${folder}/p`);
  expect([code, stdout]).toEqual([undefined, expect.stringMatching(/^1_a {2}fit (area|bilinear|bicubic)\n$/)]);
  expect((await sizesIn(`${folder}/p/LR`)).map(([, width, height]) => [width, height].sort())).toEqual([[10, 12]]);
});

test.each<[string[], number, string]>([
  [["--size", "33"], 2, "Cannot use --size 33: it must be a multiple of --scale, 4"],
  [["--size", "64"], 1, "one must have 64 x 64 pixels: none has"],
  [["--count", "0"], 2, 'Cannot use --count "0": it must be a whole number of at least 1'],
  [["--order", "third"], 2, 'Cannot use --order "third": it must be one of none, first, second'],
  [["--degradation", "FOLDER/bad.json"], 1, 'keys must be known ones: it has "frist"'],
  [["--out", "FOLDER/file"], 1, 'file": the folder must be writable'],
  [["FOLDER/none.png"], 1, 'none.png": the file must exist'],
])("%j: exit code %i, %s", async (args, code, message) => {
  const before = namesIn(folder);
  const host = await run(folder, "--out", `${folder}/pairs`, ...args.map((arg) => arg.replace("FOLDER", folder)));
  expect([host.code, host.stderr]).toEqual([code, expect.stringContaining(message)]);
  expect(namesIn(folder)).toEqual(before);
});

test("does not mix pairs of two runs", async () => {
  await Deno.mkdir(`${folder}/pairs/LR`, { recursive: true });
  const { code, stderr } = await run(folder, "--out", `${folder}/pairs`);
  expect([code, stderr]).toEqual([1, `Cannot write "${folder}/pairs": it must not hold pairs yet: it does\n`]);
});

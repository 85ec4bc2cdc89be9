import { findPairs, findResults } from "@fluxsr/core";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { inputError } from "../weights/_files.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

/** A folder with pictures of these sizes. */
async function folderWith(files: Readonly<Record<string, readonly [number, number]>>): Promise<string> {
  const folder = temporaryFolder();
  for (const [name, [width, height]] of Object.entries(files)) {
    const path = join(folder, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    await sharp({ create: { width, height, channels: 3, background: "red" } }).toFile(path);
  }
  return folder;
}

const GOOD = { "LR/b.png": [4, 5], "GT/b.jpg": [12, 15], "GT/a.png": [9, 6], "LR/a.jpg": [3, 2] } as const;

test("findPairs() joins what has the same name, in order, and finds the scale", async () => {
  const folder = await folderWith({ ...GOOD, "other.png": [1, 1] });
  await Deno.writeTextFile(join(folder, "LR", "notes.txt"), "");
  expect(await findPairs(folder)).toEqual({
    pairs: [
      { name: "a", low: join(folder, "LR", "a.jpg"), truth: join(folder, "GT", "a.png") },
      { name: "b", low: join(folder, "LR", "b.png"), truth: join(folder, "GT", "b.jpg") },
    ],
    scale: 3,
  });
});

test.each<[string, Record<string, readonly [number, number]>, string]>([
  ["no LR", { "GT/a.png": [4, 4] }, 'LR": it must be a folder that can be read: there is none'],
  ["no GT", { "LR/a.png": [4, 4] }, 'GT": it must be a folder that can be read: there is none'],
  ["no picture", { "GT/a.png": [4, 4], "LR/x/a.png": [1, 1] }, "the folder must hold a picture (.png"],
  ["no partner in GT", { ...GOOD, "LR/c.png": [2, 2] }, 'every picture must be in LR and GT: GT has no "c"'],
  ["no partner in LR", { ...GOOD, "GT/c.png": [2, 2] }, 'every picture must be in LR and GT: LR has no "c"'],
  ["one name twice", { ...GOOD, "LR/a.png": [3, 2] }, 'it has "a.jpg" and "a.png"'],
  ["another scale", { ...GOOD, "LR/c.png": [2, 2], "GT/c.png": [8, 8] }, '"c" has 4, those before 3'],
  ["no whole scale", { "LR/a.png": [4, 4], "GT/a.png": [10, 10] }, '1 to 8: "a" is 10 x 10 and 4 x 4'],
  ["scales that differ", { "LR/a.png": [4, 4], "GT/a.png": [8, 12] }, '1 to 8: "a" is 8 x 12 and 4 x 4'],
  ["a larger LR", { "LR/a.png": [8, 8], "GT/a.png": [4, 4] }, '1 to 8: "a" is 4 x 4 and 8 x 8'],
  ["a large scale", { "LR/a.png": [1, 1], "GT/a.png": [9, 9] }, '1 to 8: "a" is 9 x 9 and 1 x 1'],
])("findPairs() refuses %s", async (_, files, message) => {
  const folder = await folderWith(files);
  const error = await inputError(findPairs(folder));
  expect(error.message).toContain(message);
  expect(error.message).toMatch(new RegExp(`^Cannot read "${folder}`));
});

test("findResults() takes names with or without the scale, in the order of the pairs", async () => {
  const folder = await findPairs(await folderWith(GOOD));
  const results = await folderWith({ "b.webp": [12, 15], "a_x3.png": [9, 6], "c.png": [1, 1] });
  expect(await findResults(results, folder)).toEqual([join(results, "a_x3.png"), join(results, "b.webp")]);

  const missing = await inputError(findResults(await folderWith({ "b.png": [12, 15], "a_x4.png": [9, 6] }), folder));
  expect(missing.message).toContain('every pair must have its picture: there is no "a", nor "a_x3"');
  const wrong = await inputError(findResults(await folderWith({ "b.png": [12, 16], "a.png": [9, 6] }), folder));
  expect(wrong.message).toContain('sizes must be those of GT: "b" is 12 x 16, GT 12 x 15');
});

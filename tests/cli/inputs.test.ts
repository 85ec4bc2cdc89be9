import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { findInputs } from "../../packages/cli/_inputs.ts";
import { folderWith, removeFolders } from "./_fakes.ts";

let folder = "";

/** The names found for arguments below a folder with `files`. */
async function find(files: readonly string[], ...args: readonly string[]) {
  folder = folderWith(Object.fromEntries(files.map((name) => [name, ""])));
  const { inputs, isList } = await findInputs(args.map((arg) => join(folder, arg)));
  const below = (text: string) => text.replaceAll(`${folder}/`, "").replaceAll(folder, ".");
  return { names: inputs.map(({ path }) => below(path)), errors: inputs.map(({ error }) => error?.message), isList };
}

afterEach(removeFolders);

describe("findInputs()", () => {
  test("takes a file whatever its name is", async () => {
    expect(await find(["photo"], "photo")).toEqual({ names: ["photo"], errors: [undefined], isList: false });
  });

  test("takes the pictures of a folder, sorted, without those of subfolders, hidden and other files", async () => {
    const files = ["c.PNG", "b.jpeg", "a.txt", ".h.png", "sub/d.png", "e.avif", "f.tif", "g.webp", "n.png/x"];
    const { names, isList } = await find(files, ".");
    expect(names).toEqual(["b.jpeg", "c.PNG", "e.avif", "f.tif", "g.webp"]);
    expect(isList).toBe(true);
  });

  test("leaves out the results of an earlier run over the folder, but nothing else", async () => {
    const files = ["a.jpg", "a_x4.png", "a_x4_compare.png", "b.png", "b.jpg", "b_png_x2.png", "other_x4.png"];
    expect((await find(files, ".")).names).toEqual(["a.jpg", "b.jpg", "b.png", "other_x4.png"]);
  });

  test("takes such a result where it is named", async () => {
    expect((await find(["a.jpg", "a_x4.png"], "a_x4.png")).names).toEqual(["a_x4.png"]);
  });

  test("expands globs, also into subfolders, to pictures only", async () => {
    const files = ["b.png", "a.png", "c.txt", "sub/d.png", "sub/deep/e.png"];
    expect((await find(files, "*")).names).toEqual(["a.png", "b.png"]);
    expect((await findInputs([join(folder, "**/*.{png,jpg}")])).inputs).toHaveLength(4);
  });

  test("takes an existing file before reading its name as a glob", async () => {
    expect((await find(["a[1].png", "a1.png"], "a[1].png")).names).toEqual(["a[1].png"]);
  });

  test("drops duplicates, however they are written", async () => {
    const { names, isList } = await find(["a.png", "b.png"], "b.png", "sub/../b.png", ".", "*.png");
    expect(names).toEqual(["b.png", "a.png"]);
    expect(isList).toBe(true);
  });

  test("names a missing file, an empty folder and a glob without matches", async () => {
    const { names, errors } = await find(["empty/a.txt"], "none.png", "empty", "*.png");
    expect(names).toEqual(["none.png", "empty", "*.png"]);
    expect(errors.map((error) => error?.replaceAll(folder, ""))).toEqual([
      `Cannot read "/none.png": the file must exist: there is none of this name`,
      expect.stringMatching(/^Cannot read "\/empty": the folder must hold a picture \(\.png .*\): it has none$/),
      `Cannot read "/*.png": a glob must match a picture: it matches none`,
    ]);
  });

  test("tells arguments that match nothing from a file that is missing", async () => {
    await find(["a.txt"]);
    const { inputs } = await findInputs([join(folder, "none.png"), folder, join(folder, "?.png")]);
    expect(inputs.map((input) => input.error && input.matchedNothing)).toEqual([false, true, true]);
  });
});

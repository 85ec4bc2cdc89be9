import { writeSafetensors } from "@fluxsr/core";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { fillNewFolder, type NewFolder } from "../../packages/cli/_new_folder.ts";
import { folderWith, namesIn, removeFolders } from "./_fakes.ts";

afterEach(removeFolders);

const BOTH: NewFolder = { overwrite: true, networks: ["transformer", "vae"], bytes: 0 };

/** Fills with one file, "new". */
async function fill(part: string): Promise<void> {
  await Deno.writeTextFile(join(part, "new"), "");
}

/** A folder "model" in a folder of its own, with the autoencoder of a model in a file, and `files`. */
async function model(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = join(folderWith(Object.fromEntries(Object.entries(files).map(([n, t]) => [`model/${n}`, t]))), "model");
  await Deno.mkdir(path, { recursive: true });
  const weight = { dtype: "F32", shape: [1], bytes: new Uint8Array(4) } as const;
  await writeSafetensors(join(path, "ae.safetensors"), [["encoder.conv_in.weight", weight]]);
  return path;
}

describe("fillNewFolder()", () => {
  test("leaves nothing of what failed, and checks the room", async () => {
    const folder = folderWith({});
    const path = join(folder, "model");
    await expect(fillNewFolder(path, BOTH, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    await expect(fillNewFolder(path, { ...BOTH, bytes: 1e18 }, fill)).rejects
      .toThrow("the disk must have 1000000000 GB free: it has");
    expect(namesIn(folder)).toEqual([]);
  });

  test("replaces a model once the new one is whole", async () => {
    const path = await model({ "fluxsr.json": "{}", "license": "" });
    let meanwhile: string[] = [];
    await fillNewFolder(path, BOTH, async (part) => {
      await fill(part);
      meanwhile = namesIn(path);
    });
    expect(meanwhile).toEqual(["ae.safetensors", "fluxsr.json", "license"]);
    expect(namesIn(path)).toEqual(["new"]);
    expect(namesIn(join(path, ".."))).toEqual(["model"]);
  });

  test("leaves the old model where the new one fails", async () => {
    const path = await model();
    await expect(fillNewFolder(path, BOTH, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(namesIn(path)).toEqual(["ae.safetensors"]);
    expect(namesIn(join(path, ".."))).toEqual(["model"]);
  });

  test("ends on Ctrl-C with nothing new", async () => {
    const path = await model();
    const isThere = await fillNewFolder(path, BOTH, async (_, signal) => {
      const raised = new Promise((resolve) => signal.addEventListener("abort", resolve));
      Deno.kill(Deno.pid, "SIGINT");
      await raised;
      signal.throwIfAborted();
    });
    expect(isThere).toBe(false);
    expect(namesIn(path)).toEqual(["ae.safetensors"]);
    expect(namesIn(join(path, ".."))).toEqual(["model"]);
  });

  test("fills what a link leads to", async () => {
    const path = await model();
    const link = join(folderWith({}), "link");
    await Deno.symlink(path, link);
    await fillNewFolder(link, BOTH, fill);
    expect(Deno.lstatSync(link).isSymlink).toBe(true);
    expect(namesIn(path)).toEqual(["new"]);
  });

  test("touches no folder that another run may be filling", async () => {
    const folder = folderWith({ "model.part/mine": "" });
    await expect(fillNewFolder(join(folder, "model"), BOTH, fill)).rejects
      .toThrow(`Cannot write "${folder}/model": "${folder}/model.part" must not exist: it does`);
    expect(namesIn(join(folder, "model.part"))).toEqual(["mine"]);
  });

  const REFUSED: [string, Readonly<Record<string, string>>, Partial<NewFolder>, string][] = [
    ["a model without --overwrite", {}, { overwrite: false }, "the folder must not exist yet: it does"],
    ["what is no model's", { "text_encoder/a": "" }, {}, 'only a model folder is replaced: it holds "text_encoder"'],
    [
      "a network that the new one lacks",
      {},
      { networks: ["transformer"] },
      "than the new one: it has an autoencoder too",
    ],
  ];
  test.each(REFUSED)("does not replace %s", async (_, files, options, message) => {
    const path = await model(files);
    await expect(fillNewFolder(path, { ...BOTH, ...options }, fill)).rejects.toThrow(message);
    expect(namesIn(path)).toContain("ae.safetensors");
    expect(namesIn(join(path, ".."))).toEqual(["model"]);
  });

  test("does not replace a folder without networks", async () => {
    const folder = folderWith({ "diary.md": "", "x.json": "" });
    await expect(fillNewFolder(folder, BOTH, fill)).rejects.toThrow("it holds no transformer and no autoencoder");
    expect(namesIn(folder)).toEqual(["diary.md", "x.json"]);
  });

  test("replaces its own input, but nothing within that or around it", async () => {
    const path = await model({ "transformer/config.json": "{}" });
    const inside = join(path, "transformer");
    await writeSafetensors(join(inside, "vae.safetensors"), []);
    await Deno.mkdir(join(inside, "vae"));
    await expect(fillNewFolder(inside, { ...BOTH, input: path }, fill)).rejects.toThrow("it must not lie in");
    await expect(fillNewFolder(path, { ...BOTH, input: join(path, "ae.safetensors") }, fill)).rejects
      .toThrow(`it must not lie in "${join(path, "ae.safetensors")}", nor that in it`);
    expect(namesIn(path)).toEqual(["ae.safetensors", "transformer"]);
    await fillNewFolder(path, { ...BOTH, input: path }, fill);
    expect(namesIn(path)).toEqual(["new"]);
  });

  test("refuses a mount point before the work", async () => {
    await expect(fillNewFolder("/proc", BOTH, fill)).rejects.toThrow(
      'Cannot write "/proc": it must not be a mount point',
    );
  });

  test("says where the new folder is if it cannot take its place", async () => {
    const path = join(folderWith({}), "model");
    const filling = fillNewFolder(path, BOTH, async (part) => {
      await fill(part);
      await Deno.writeTextFile(path, ""); // somebody else was faster
    });
    await expect(filling).rejects.toMatchObject({
      hint: expect.stringMatching(/^the new folder is whole, as ".*model.part"$/),
    });
    expect(namesIn(`${path}.part`)).toEqual(["new"]);
    expect(namesIn(join(path, ".."))).toEqual(["model", "model.part"]);
  });
});

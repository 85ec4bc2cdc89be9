import { InputError } from "@fluxsr/core";
import { describe, expect, test } from "vitest";
import { readManifest } from "../../../../packages/train/data/pairs/manifest.ts";
import { writePairs } from "../../../../packages/train/data/pairs/write_pairs.ts";
import { contentsOf, damage, SETTINGS, ToyMaker } from "./_pairs.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

/** Makes pairs up to `count`, interrupted after `stopAfter`; says which were made. */
async function write(dir: string, count: number, { stopAfter = Infinity, settings = SETTINGS } = {}) {
  const maker = new ToyMaker(), stop = new AbortController();
  const onPair = () => maker.made.length >= stopAfter && stop.abort();
  const done = await writePairs(dir, { maker, settings, count, signal: stop.signal, onPair });
  return { made: maker.made, done };
}

describe("writePairs()", () => {
  test("makes shards and a manifest that lists them", async () => {
    const dir = temporaryFolder();
    expect(await write(dir, 7)).toEqual({ made: [0, 1, 2, 3, 4, 5, 6], done: 7 });
    const { settings, shards } = await readManifest(dir);
    expect(settings).toEqual(SETTINGS);
    expect(shards.map(({ file, count, prompts, round_trip }) => [file, count, prompts, round_trip])).toEqual([
      ["pairs-000000-000002.safetensors", 3, [0, 1, 0], [0, 0.125, 0.25]],
      ["pairs-000003-000005.safetensors", 3, [1, 0, 1], [0.375, 0.5, 0.625]],
      ["pairs-000006-000006.safetensors", 1, [0], [0.75]],
    ]);
    expect(Object.keys(contentsOf(dir))).toEqual(["manifest.json", ...shards.map(({ file }) => file)]);
  });

  test("an interrupted and raised run has the same bytes as one in a piece", async () => {
    const [whole, parts] = [temporaryFolder(), temporaryFolder()];
    await write(whole, 8);
    expect(await write(parts, 7, { stopAfter: 4 })).toEqual({ made: [0, 1, 2, 3], done: 4 });
    expect(await write(parts, 5)).toEqual({ made: [4], done: 5 });
    expect(await write(parts, 5)).toEqual({ made: [], done: 5 });
    expect(await write(parts, 8)).toEqual({ made: [5, 6, 7], done: 8 });
    expect(contentsOf(parts)).toEqual(contentsOf(whole));
  });

  test("keeps what was made when a pair is given up, or fails", async () => {
    for (const reason of ["given up", "failed"]) {
      const dir = temporaryFolder(), toy = new ToyMaker(), stop = new AbortController();
      const error = new Error(reason);
      const make = (i: number, signal?: AbortSignal) => {
        if (i < 4) return toy.make(i);
        if (reason === "given up") stop.abort();
        return Promise.reject(signal?.aborted ? signal.reason : error);
      };
      const writing = writePairs(dir, { maker: { make }, settings: SETTINGS, count: 8, signal: stop.signal });
      if (reason === "given up") expect(await writing).toBe(4);
      else await expect(writing).rejects.toThrow(error);
      expect((await write(dir, 8)).made).toEqual([4, 5, 6, 7]);
    }
  });

  test("begins no pair after the deadline", async () => {
    const maker = new ToyMaker(), late = new AbortController();
    const onPair = (done: number) => done === 2 && late.abort();
    const options = { maker, settings: SETTINGS, count: 8, deadline: late.signal, onPair };
    expect([await writePairs(temporaryFolder(), options), maker.made]).toEqual([2, [0, 1]]);
  });

  test("fewer pairs than there are change nothing", async () => {
    const dir = temporaryFolder();
    await write(dir, 8);
    const before = contentsOf(dir);
    expect(await write(dir, 2)).toEqual({ made: [], done: 2 });
    expect(contentsOf(dir)).toEqual(before);
  });

  test("damaged, truncated and missing shards are made anew, strays removed", async () => {
    const dir = temporaryFolder();
    await write(dir, 9);
    const before = contentsOf(dir);
    const [first = "", second = "", third = ""] = Object.keys(before).slice(1).map((name) => `${dir}/${name}`);
    damage(first);
    Deno.truncateSync(second, 100);
    Deno.removeSync(third);
    Deno.writeTextFileSync(`${dir}/pairs-000003-000004.safetensors`, "shorter form");
    Deno.writeTextFileSync(`${dir}/pairs-000003-000005.safetensors.tmp-1a2b3c4d`, "half written");
    Deno.writeTextFileSync(`${dir}/notes.txt`, "the user's");
    expect(await write(dir, 7)).toEqual({ made: [0, 1, 2, 3, 4, 5, 6, 7, 8], done: 7 });
    expect(contentsOf(dir)).toEqual({ ...before, "notes.txt": String(new TextEncoder().encode("the user's")) });
  });

  test("the folder of the model may have been renamed", async () => {
    const dir = temporaryFolder();
    await write(dir, 1);
    expect(await write(dir, 2, { settings: { ...SETTINGS, model: { ...SETTINGS.model, name: "new" } } }))
      .toEqual({ made: [1], done: 2 });
  });

  test.each([
    [{ seed: 2 }, "seed must be that of its pairs, 1: it is 2"],
    [{ size: 8 }, "size must be that of its pairs, 6: it is 8"],
    [{ source: "images" as const, pictures: 1 }, "source must be"],
    [{ model: { ...SETTINGS.model, sha256: "d".repeat(64) } }, "model must be"],
  ])("pairs of other settings are not added: %j", async (other, state) => {
    const dir = temporaryFolder();
    await write(dir, 1);
    const before = contentsOf(dir);
    const adding = write(dir, 2, { settings: { ...SETTINGS, ...other } });
    await expect(adding).rejects.toThrow(InputError);
    await expect(adding).rejects.toThrow(`Cannot add pairs to "${dir}": ${state}`);
    expect(contentsOf(dir)).toEqual(before);
  });

  test("a file is no folder", async () => {
    const path = `${temporaryFolder()}/file`;
    Deno.writeTextFileSync(path, "");
    await expect(write(path, 1)).rejects.toThrow(`Cannot write pairs "${path}": it must be a folder`);
  });
});

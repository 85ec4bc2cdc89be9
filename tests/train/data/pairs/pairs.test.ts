import { InputError } from "@fluxsr/core";
import { describe, expect, test } from "vitest";
import { checkPairs, openPairs } from "../../../../packages/train/data/pairs/pairs.ts";
import { writePairs } from "../../../../packages/train/data/pairs/write_pairs.ts";
import { damage, SETTINGS, ToyMaker } from "./_pairs.ts";
import { STARTER } from "../../../helpers/starter.ts";
import { temporaryFolder } from "../../../helpers/temporary_folder.ts";

const model = STARTER;
const SECOND = "pairs-000003-000005.safetensors";

async function pairs({ count = 7, settings = SETTINGS } = {}): Promise<string> {
  const dir = temporaryFolder();
  await writePairs(dir, { maker: new ToyMaker(), settings, count });
  return dir;
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => undefined, (error) => error);
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).not.toContain("\n");
  return error.message;
}

describe("openPairs()", () => {
  test("gives back what was made", async () => {
    const { count, settings, size, pair } = await openPairs(await pairs(), { model });
    expect({ count, settings, size }).toEqual({ count: 7, settings: SETTINGS, size: 6 });
    for (const i of [6, 0, 4]) {
      const { eps, z_0, x_0: rgb, prompt } = await new ToyMaker().make(i);
      const x_0 = { rgb, width: 6, height: 6 };
      expect(await pair(i)).toEqual({ number: i, eps, z_0, shape: [2, 3, 5], x_0, prompt });
    }
    await expect(pair(7)).rejects.toThrow(RangeError);
  });

  test("refuses a folder without pairs", async () => {
    const dir = temporaryFolder();
    expect(await messageOf(openPairs(dir, { model }))).toContain(`"${dir}": the folder must have a manifest.json`);
    expect(await messageOf(openPairs(`${dir}/none`, { model }))).toContain("must have a manifest.json");
  });

  test.each([
    ["{", "contents must be JSON"],
    ["[]", "manifest.json must be one of fluxsr-pairs-1: contents"],
    [`{"format": "fluxsr-pairs-9"}`, "manifest.json must be one of fluxsr-pairs-1: format"],
  ])("refuses the manifest %s", async (text, state) => {
    const dir = await pairs();
    Deno.writeTextFileSync(`${dir}/manifest.json`, text);
    expect(await messageOf(openPairs(dir, { model }))).toContain(state);
  });

  test("a manifest cannot name files elsewhere", async () => {
    const dir = await pairs();
    const path = `${dir}/manifest.json`;
    Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(SECOND, `../${SECOND}`));
    expect(await messageOf(openPairs(dir, { model }))).toContain("shards.1.file");
  });

  test("refuses pairs of another model, and names both, unless any will do", async () => {
    const settings = { ...SETTINGS, model: { name: "other", sha256: "f".repeat(64) } };
    expect(await messageOf(openPairs(await pairs({ settings }), { model }))).toMatch(
      /must be of the model "FluxSR starter" \(\w{12}\.\.\.\): they are of "other" \(f{12}\.\.\.\)$/,
    );
    expect((await openPairs(await pairs({ settings }), { model: undefined })).count).toBeGreaterThan(0);
  });

  test.each<[string, (path: string) => void, string]>([
    ["changed", damage, "sha256 must be the manifest's: it is "],
    ["truncated", (path) => Deno.truncateSync(path, 900), "file is truncated"],
    ["missing", (path) => Deno.removeSync(path), "no such file"],
  ])("names a %s shard, or leaves it out", async (_, harm, fault) => {
    const dir = await pairs();
    harm(`${dir}/${SECOND}`);
    const message = await messageOf(openPairs(dir, { model }));
    expect(message).toContain(`shard "${SECOND}" is damaged: `);
    expect(message).toContain(fault);
    const notices: string[] = [];
    const { count, pair } = await openPairs(dir, { model, skipBad: true, notice: (text) => notices.push(text) });
    expect(count).toBe(4);
    expect(notices).toEqual([expect.stringContaining(`Left out 3 pairs, shard "${SECOND}" is damaged: `)]);
    const { number, x_0: { rgb } } = await pair(3);
    expect([number, rgb[0]]).toEqual([6, 6]);
  });

  test("refuses a folder of which nothing is left", async () => {
    const dir = await pairs({ count: 2 });
    damage(`${dir}/pairs-000000-000001.safetensors`);
    expect(await messageOf(openPairs(dir, { model, skipBad: true }))).toContain("there must be at least one");
  });
});

test("checkPairs() tells of every shard, also of one with other shapes", async () => {
  const dir = await pairs();
  damage(`${dir}/${SECOND}`);
  const path = `${dir}/manifest.json`;
  const seen = await Array.fromAsync(checkPairs(dir, { model }));
  expect(seen.map(({ first, fault }) => [first, fault === undefined])).toEqual([[0, true], [3, false], [6, true]]);
  Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(`"size": 6`, `"size": 7`));
  const [first] = await Array.fromAsync(checkPairs(dir, { model }));
  expect(first?.fault).toBe(`"0.x_0" must be U8 [7, 7, 3]: it is U8 [6, 6, 3]`);
});

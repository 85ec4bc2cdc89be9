import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openWeights } from "../../../packages/core/weights/open_weights.ts";
import { writeSafetensors } from "../../../packages/core/weights/safetensors/safetensors.ts";
import { fromF32 } from "../../../packages/core/weights/dtypes/dtype.ts";
import { inputError, messageOf } from "./_files.ts";
import { temporaryFolder } from "../../helpers/temporary_folder.ts";

/** A file with one F32 tensor [1] for each of `values`. */
function write(path: string, values: Record<string, number>): Promise<void> {
  const tensors = Object.entries(values).map(([name, value]) =>
    [name, { dtype: "F32" as const, shape: [1], bytes: fromF32(Float32Array.of(value), "F32") }] as const
  );
  return writeSafetensors(path, tensors, { metadata: { format: "pt" } });
}

function writeIndex(folder: string, index: unknown, name = "model.safetensors.index.json"): void {
  Deno.writeTextFileSync(join(folder, name), typeof index === "string" ? index : JSON.stringify(index));
}

describe("openWeights()", () => {
  it("opens a file, and a folder with one or several", async () => {
    const folder = temporaryFolder();
    await write(join(folder, "a.safetensors"), { a: 1 });
    for (const path of [folder, join(folder, "a.safetensors")]) {
      using source = await openWeights(path);
      expect(source).toMatchObject({ path, metadata: { format: "pt" } });
      expect(await source.read("a")).toMatchObject({ dtype: "F32", shape: [1] });
      expect([...await source.readF32("a")]).toEqual([1]);
    }
    await write(join(folder, "b.safetensors"), { b: 2 });
    Deno.writeTextFileSync(join(folder, "notes.txt"), "not weights");
    using source = await openWeights(folder);
    expect([...source.tensors.keys()]).toEqual(["a", "b"]);
    expect([...await source.readF32("b")]).toEqual([2]);
  });

  it("opens the shards of an index, from the folder or the index", async () => {
    const folder = temporaryFolder();
    await write(join(folder, "model-1.safetensors"), { a: 1, b: 2 });
    await write(join(folder, "model-2.safetensors"), { c: 3 });
    const map = { a: "model-1.safetensors", c: "model-2.safetensors", b: "model-1.safetensors" };
    writeIndex(folder, { metadata: { total_size: 12 }, weight_map: map });
    for (const path of [folder, join(folder, "model.safetensors.index.json")]) {
      using source = await openWeights(path);
      expect([...source.tensors.keys()]).toEqual(["a", "c", "b"]);
      expect([...await source.readF32("b"), ...await source.readF32("c")]).toEqual([2, 3]);
    }
  });

  it("refuses what has no weights", async () => {
    const folder = temporaryFolder();
    expect(await messageOf(openWeights(folder))).toBe(`Cannot open "${folder}": folder has no .safetensors file`);
    expect(await messageOf(openWeights(join(folder, "no.safetensors")))).toMatch(/no such file$/);
  });

  it("names a shard that is missing, and a tensor that its shard lacks", async () => {
    const folder = temporaryFolder();
    const map = { a: "model-1.safetensors", c: "model-2.safetensors" };
    writeIndex(folder, { weight_map: map });
    await write(join(folder, "model-1.safetensors"), { a: 1 });
    const missing = await inputError(openWeights(folder));
    expect(missing.message).toMatch(/shard "model-2.safetensors" is missing$/);
    expect(missing.hint).toContain("download");
    await write(join(folder, "model-2.safetensors"), { d: 1 });
    const lacking = await inputError(openWeights(folder));
    expect(lacking.message).toMatch(/shard "model-2.safetensors" must hold "c": it does not$/);
    expect(lacking.hint).toContain("two models");
  });

  it.each<[string, unknown, RegExp]>([
    ["is not JSON", "{", /contents must be JSON$/],
    ["is null", "null", /index must have a weight_map: it has none$/],
    ["has no map", {}, /index must have a weight_map: it has none$/],
    [
      "names no file",
      { weight_map: { a: 1 } },
      /weight_map must name .safetensors files beside the index: "a" is in 1$/,
    ],
    ["names an object", { weight_map: { a: { toString: 1 } } }, /"a" is in an object$/],
    ["names a file elsewhere", { weight_map: { a: "../a.safetensors" } }, /"a" is in "..\/a.safetensors"$/],
  ])("refuses an index that %s", async (_, index, message) => {
    const folder = temporaryFolder();
    writeIndex(folder, index);
    expect(await messageOf(openWeights(folder))).toMatch(message);
  });

  it("refuses two indices, and a tensor in two files", async () => {
    const folder = temporaryFolder();
    await write(join(folder, "a.safetensors"), { w: 1 });
    await write(join(folder, "a.fp16.safetensors"), { w: 1 });
    expect(await messageOf(openWeights(folder))).toMatch(
      /a tensor must be in one file: "w" is in ".*a.fp16.safetensors" and/,
    );
    writeIndex(folder, {});
    writeIndex(folder, {}, "a.safetensors.index.json");
    const error = await inputError(openWeights(folder));
    expect(error.message).toMatch(/folder must have one index: it has 2$/);
    expect(error.hint).toContain("a.safetensors.index.json");
  });
});

describe("WeightSource", () => {
  it("refuses unknown tensors, and to read other dtypes as weights", async () => {
    const path = join(temporaryFolder(), "i.safetensors");
    await writeSafetensors(path, [["ids", { dtype: "I64", shape: [1], bytes: new Uint8Array(8) }]]);
    using source = await openWeights(path);
    expect(await source.read("ids")).toMatchObject({ dtype: "I64", bytes: new Uint8Array(8) });
    expect(await messageOf(source.readF32("ids"))).toBe(
      `Cannot load "ids": weights must be F32, F16, BF16, F8_E4M3, Q8_0, Q4_0, Q4_K or Q5_K: file has I64`,
    );
    expect(await messageOf(source.read("x"))).toBe(`Cannot read "x": "${path}" has no such tensor`);
    await expect(source.readF32("x")).rejects.toThrow("has no such tensor");
  });
});

import { Gpu, Tuning } from "@fluxsr/kernels";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applyTuning, saveTuning, tuningFile } from "../../packages/cli/_tuning.ts";
import { gpu } from "../helpers/gpu.ts";

const CHOICES = { "matmul.nn 64x64x64": { by: "shared", rows: 64, columns: 64, splits: 2 } } as const;

let folder: string;
const before = Deno.env.get("XDG_CACHE_HOME");
const other = () => new Gpu(gpu.device, { ...gpu.adapter, description: "Some GPU (rev. 2)/x" });

beforeEach(async () => {
  folder = await Deno.makeTempDir();
  Deno.env.set("XDG_CACHE_HOME", folder);
});

afterEach(async () => {
  if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
  else Deno.env.set("XDG_CACHE_HOME", before);
  await Deno.remove(folder, { recursive: true });
});

test("what was tuned is kept by adapter and applied again", async () => {
  const tuned = other();
  tuned.tuning = new Tuning(CHOICES);
  expect(await saveTuning(tuned)).toBe(`${folder}/fluxsr/tuning/some-gpu-rev.-2-x.json`);
  const again = other();
  await applyTuning(again);
  expect(again.tuning.toJSON()).toEqual(CHOICES);
});

test("without a file the GPU stays as it is", async () => {
  const on = other();
  const { tuning } = on;
  await applyTuning(on);
  expect(on.tuning).toBe(tuning);
});

test.each([["{", "JSON"], ['{"matmul.nn 1x1x1": {"by": "magic"}}', "Invalid option"]])(
  "a file that says %s is refused in one line, with what to do",
  async (text, reason) => {
    const on = other();
    await saveTuning(on);
    await Deno.writeTextFile(tuningFile(on.adapter), text);
    const refused = applyTuning(on);
    await expect(refused).rejects.toThrow(`Cannot read tuning "${tuningFile(on.adapter)}": it must be what`);
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining("--tune") });
  },
);

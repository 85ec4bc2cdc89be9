import { afterEach, beforeEach, expect, test } from "vitest";
import type { Report } from "../../bench/report.ts";
import { checkReportPlace, saveReport } from "../../bench/save_report.ts";

const report: Report = {
  date: "2026-01-02T03:04:05Z",
  adapter: { description: "some adapter", vendor: "", software: true, cores: 2 },
  gpu: { provider: "deno", matrices: false },
  versions: {},
  ceilings: { gflops: 200, gbytes: 10 },
  rows: [{ name: "rope/wide", shape: "", origin: "", runs: 5, ms: 1.23456, low: 1, high: 2, gbytes: 5 }],
};

let folder: string;
beforeEach(async () => void (folder = await Deno.makeTempDir()));
afterEach(() => Deno.remove(folder, { recursive: true }));

const names = async () => (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

test("a report has its roofline beside it, replaces an older one, and leaves nothing else", async () => {
  const path = `${folder}/some.json`;
  await Deno.writeTextFile(path, "older");
  await checkReportPlace(path);
  expect(await Deno.readTextFile(path)).toBe("older");
  await saveReport(path, report);
  expect(await names()).toEqual(["some.json", "some.svg"]);
  expect(JSON.parse(await Deno.readTextFile(path))).toMatchObject({ rows: [{ ms: 1.235 }] });
});

test("a place that cannot be written to is refused before anything is measured", async () => {
  await expect(checkReportPlace(`${folder}/some.txt`)).rejects.toThrow(
    `Cannot write "${folder}/some.txt": the name must end in .json: the roofline is drawn beside it`,
  );
  await expect(checkReportPlace(`${folder}/none/some.json`)).rejects.toThrow(/its folder must exist/);
  await Deno.mkdir(`${folder}/taken.svg`);
  await expect(checkReportPlace(`${folder}/taken.json`)).rejects.toThrow(/taken.svg": it must be a file/);
  await expect(checkReportPlace("/proc/some.json")).rejects.toThrow(/its folder must be writable/);
  expect(await names()).toEqual(["taken.svg"]);
});

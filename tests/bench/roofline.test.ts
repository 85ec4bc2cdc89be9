import { expect, test } from "vitest";
import type { Report } from "../../bench/report.ts";
import { drawRoofline } from "../../bench/roofline.ts";
import { spread } from "../../bench/spread.ts";

test("labels keep their order and their distance, and stay inside", () => {
  expect(spread([50, 10, 12, 99], { gap: 10, end: 100 })).toEqual([50, 10, 20, 99]);
  expect(spread([99, 98, 97], { gap: 10, end: 100 })).toEqual([100, 90, 80]);
  expect(spread([], { gap: 10, end: 100 })).toEqual([]);
});

const times = { origin: "", runs: 5, ms: 2, low: 1, high: 3 };
const report: Pick<Report, "adapter" | "date" | "ceilings" | "rows"> = {
  date: "2026-01-02T03:04:05Z",
  adapter: { description: "some adapter", vendor: "", software: true, cores: 2 },
  ceilings: { gflops: 200, gbytes: 10 },
  rows: [
    { ...times, name: "matmul/large", shape: "", gflops: 50, gbytes: 1 },
    { ...times, name: "matmul_backward/thin.dx", shape: "", gflops: 2, gbytes: 3 },
    { ...times, name: "rope/wide", shape: "", gbytes: 12 },
    { ...times, name: "upscale/encode", shape: "" },
  ],
};

test("every op has a point with its name, and the adapter its ceilings", async () => {
  const svg = await drawRoofline(report);
  for (
    const word of ["large", "thin.dx", "rope/wide", "200 GFLOP/s", "10.0 GB/s", "some adapter, 2 cores", "2026-01-02"]
  ) {
    expect(svg).toContain(word);
  }
  expect(svg).not.toMatch(/NaN|Infinity|upscale/);
});

test("programs alone have ceilings and nothing below them", async () => {
  const svg = await drawRoofline({ ...report, rows: report.rows.slice(-1) });
  expect(svg).toContain("some adapter");
});

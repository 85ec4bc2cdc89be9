import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { MetricRecord } from "../../../packages/train/log/metrics_file.ts";
import { sheetPath } from "../../../packages/train/log/metrics_log.ts";
import { lossCurves, validationCurves } from "../../../packages/train/report/curves.ts";
import { report, writeReport } from "../../../packages/train/report/report.ts";
import { seriesOf, smoothed, thinned } from "../../../packages/train/report/series.ts";

const folder = await Deno.makeTempDir();
afterAll(() => Deno.remove(folder, { recursive: true }));

const time = "2026-01-02T03:04:05.000Z";
const STEPS: MetricRecord[] = [1, 2, 3, 4].map((step) => ({
  step,
  time,
  lr: 1e-4,
  loss: { ftd: 2 / step, total: 3 / step },
  grad_norm: { total: 1 },
  images_per_s: 2,
}));
const BASELINE: MetricRecord = { step: 0, time, baseline: "bicubic", validation: { psnr_y: 26.5, "<x>": NaN } };
const VALIDATIONS: MetricRecord[] = [0, 4].map((step) => ({
  step,
  time,
  validation: { psnr_y: 25.25 + step, "<x>": step },
}));
const RECORDS = [BASELINE, ...STEPS, ...VALIDATIONS];

/** How many lines with points a diagram draws, and what it says. */
function contents(svg: string | undefined) {
  return {
    lines: svg?.match(/class="mark-line/g)?.length,
    dashed: svg?.match(/stroke-dasharray/g)?.length,
    texts: [...svg?.matchAll(/<text[^>]*>([^<]*)</g) ?? []].map(([, text]) => text),
  };
}

test("lossCurves() draws every term raw and smoothed, the total first", async () => {
  const { lines, texts } = contents(await lossCurves(RECORDS));
  expect(lines).toBe(4);
  expect(texts.filter((text) => text?.startsWith("loss: "))).toEqual(["loss: total", "loss: ftd"]);
  expect(await lossCurves(VALIDATIONS)).toBeUndefined();
});

test("validationCurves() draws every figure with its baselines", async () => {
  const { dashed, texts } = contents(await validationCurves(RECORDS));
  expect(texts).toEqual(expect.arrayContaining(["PSNR of Y, dB", "&lt;x&gt;", "bicubic"]));
  expect(dashed).toBe(1); // the other figure has no baseline
  expect(await validationCurves(STEPS)).toBeUndefined();
  expect(await validationCurves([BASELINE])).toBeUndefined();
});

test("smoothed() is the value of a constant, between the values of others", () => {
  const points = Array.from({ length: 400 }, (_, step) => ({ step, value: 7 }));
  for (const { value } of smoothed(points)) expect(value).toBeCloseTo(7, 12);
  const zigzag = smoothed(points.map(({ step }) => ({ step, value: step % 2 }))).slice(100);
  for (const { value } of zigzag) expect(Math.abs(value - 0.5)).toBeLessThan(0.1);
});

test("thinned() keeps the extremes, and short series whole", () => {
  const points = Array.from({ length: 10_007 }, (_, step) => ({ step, value: Math.sin(step) }));
  points[5003] = { step: 5003, value: 9 };
  points[5004] = { step: 5004, value: -9 };
  const few = thinned(points);
  expect(few.length).toBeLessThanOrEqual(500);
  expect(few).toEqual(expect.arrayContaining([points[5003], points[5004]]));
  expect(few.map(({ step }) => step)).toEqual(few.map(({ step }) => step).sort((a, b) => a - b));
  expect(thinned(points.slice(0, 500))).toEqual(points.slice(0, 500));
});

test("seriesOf() leaves out what is missing or no number", () => {
  const records = [{ step: 3, values: { a: 1 } }, { step: 1, values: { a: NaN } }, { step: 2, values: { a: 4, b: 5 } }];
  expect(seriesOf(records, "a")).toEqual([{ step: 2, value: 4 }, { step: 3, value: 1 }]);
  expect(seriesOf(records, "b")).toEqual([{ step: 2, value: 5 }]);
});

test("report() is one page with all in it, its text escaped", () => {
  const html = report({
    title: "Run <1> & more",
    config: { pairs: '<b>"p"</b>', ranks: [1, 2] },
    records: RECORDS,
    curves: { loss: "<svg>loss</svg>", validation: "<svg>validation</svg>" },
    sheet: Uint8Array.of(1, 2, 3),
    columns: ["LR", "HR"],
  });
  expect(html).toContain("<h1>Run &lt;1&gt; &amp; more</h1>");
  expect(html).toContain("<td>&lt;b&gt;&quot;p&quot;&lt;/b&gt;</td>");
  expect(html).toContain("<td>[1,2]</td>");
  expect(html).toContain("4 steps from 2026-01-02 03:04");
  const cells = html.match(/<tr><td>PSNR.*<\/tr>/)?.[0].match(/>[\d.]+</g);
  expect(cells).toEqual([">26.50<", ">25.25<", ">29.25<"]);
  expect(html).toContain("data:image/png;base64,AQID");
  expect(html).toContain("From left to right: LR, HR.");
  expect(html.match(/<svg/g)).toHaveLength(2);
  expect(html).not.toMatch(/<script|<link|(src|href)="(?!data:)/);
});

test("report() of a run that has just begun says so", () => {
  const curves = { loss: undefined, validation: undefined };
  const html = report({ title: "Run", config: {}, records: [], curves });
  expect(html).toContain("No step was recorded.");
  expect(html).not.toContain("<svg");
});

test("writeReport() finds the files of a run", async () => {
  await expect(writeReport(folder, { title: "Run" })).rejects.toThrow(/Cannot read ".*config.json"/);
  await Deno.writeTextFile(join(folder, "config.json"), '{"lr":0.5}');
  await Deno.writeTextFile(
    join(folder, "metrics.jsonl"),
    RECORDS.map((record) => `${JSON.stringify(record)}\n`).join(""),
  );
  await Deno.mkdir(join(folder, "validation"));
  await Deno.writeFile(join(folder, sheetPath(4)), Uint8Array.of(4, 5, 6));
  const path = await writeReport(folder, { title: "Run", columns: ["a"] });
  const html = await Deno.readTextFile(path);
  expect(html).toContain("<td>lr</td><td>0.5</td>");
  expect(html).toContain("base64,BAUG");
  for (const name of ["loss.svg", "validation.svg"]) {
    const svg = await Deno.readTextFile(join(folder, name));
    expect(svg).toMatch(/^<svg/);
    expect(html).toContain(svg);
  }
});

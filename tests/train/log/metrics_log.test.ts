import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readRecords } from "../../../packages/train/log/metrics_file.ts";
import { MetricsLog, sheetPath } from "../../../packages/train/log/metrics_log.ts";

const folder = await Deno.makeTempDir();
afterAll(() => Deno.remove(folder, { recursive: true }));

const TIME = "2026-01-02T03:04:05.000Z";
const now = () => new Date(TIME);
const SHEET = new Uint8Array(30).fill(9);

async function run(name: string): Promise<{ out: string; path: string; log: MetricsLog }> {
  const out = join(folder, name);
  await Deno.mkdir(out, { recursive: true });
  return { out, path: join(out, "metrics.jsonl"), log: new MetricsLog(out, { now }) };
}

function stepOf(step: number) {
  return { step, lr: 1e-4, loss: { total: step + 0.5, ftd: 0.25 }, grad_norm: { total: 2 }, images_per_s: 3 };
}

/** Steps `from` to `to`, with a validation at every second. */
async function go(log: MetricsLog, from: number, to: number): Promise<void> {
  for (let step = from; step <= to; step++) {
    await log.step(stepOf(step));
    if (step % 2 === 0) await log.validation({ step, figures: { psnr_y: 20 + step }, sheet: SHEET });
  }
}

test("a run's records are read back as they were written", async () => {
  const { out, path, log } = await run("plain");
  await log.resumeAt(0);
  await log.baselines({ bicubic: { psnr_y: 27, ssim_y: 0.7 } });
  await go(log, 1, 2);
  const [baseline, first, , validation] = await readRecords(path);
  expect(baseline).toEqual({ step: 0, time: TIME, baseline: "bicubic", validation: { psnr_y: 27, ssim_y: 0.7 } });
  expect(first).toEqual({ ...stepOf(1), time: TIME });
  expect(validation).toEqual({ step: 2, time: TIME, validation: { psnr_y: 22 } });
  expect(await Deno.readFile(join(out, sheetPath(2)))).toEqual(SHEET);
});

test("a run that goes on from a checkpoint leaves the file of one that was never stopped", async () => {
  const whole = await run("whole");
  await whole.log.resumeAt(0);
  await go(whole.log, 1, 7);

  const { path, log, out } = await run("stopped");
  await log.resumeAt(0);
  await go(log, 1, 6);
  await Deno.writeTextFile(path, '{"step":7,"ti', { append: true }); // killed while it wrote
  const again = new MetricsLog(out, { now });
  await again.resumeAt(4);
  await go(again, 5, 7);
  expect(await Deno.readTextFile(path)).toBe(await Deno.readTextFile(whole.path));

  await again.resumeAt(0);
  expect(await Deno.readTextFile(path)).toBe("");
});

test("what is no number is read as NaN", async () => {
  const { path, log } = await run("nan");
  await log.resumeAt(0);
  await log.step({ ...stepOf(1), loss: { total: NaN }, images_per_s: Infinity });
  expect(await readRecords(path)).toEqual([{ ...stepOf(1), time: TIME, loss: { total: NaN }, images_per_s: NaN }]);
});

test("a line that is no record is named, an unfinished last one is not", async () => {
  const { path, log } = await run("damaged");
  await log.resumeAt(0);
  await go(log, 1, 1);
  const good = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, `${good}{"step":2`);
  expect(await readRecords(path)).toHaveLength(1);
  await Deno.writeTextFile(path, `${good}{"step":2\n${good}`);
  await expect(readRecords(path)).rejects.toThrow(/line 2 must be a record: it is not JSON/);
  await Deno.writeTextFile(path, `${good}{"step":-2}\n`);
  await expect(log.resumeAt(1)).rejects.toThrow(/line 2 must be a record: it has other fields/);
  await expect(readRecords(folder)).rejects.toThrow(/Cannot read/);
});

test("a run that has lost its file has no records", async () => {
  expect(await readRecords(join(folder, "none"))).toEqual([]);
});

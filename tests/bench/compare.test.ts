import { expect, test } from "vitest";
import { type Baseline, compare, readBaseline } from "../../bench/compare.ts";
import type { ResultRow } from "../../bench/report.ts";

const ceilings = { gflops: 100, gbytes: 10 };
const adapter = { description: "some adapter", cores: 2 };

/** A row whose quartiles are `spread` (a share) away from its median. */
function row(ms: number, { spread = 0, ...rates }: { spread?: number; gflops?: number; gbytes?: number } = {}) {
  const times = { runs: 9, ms, low: ms * (1 - spread), high: ms * (1 + spread) };
  return { name: "op/name", shape: "3 x 4", origin: "here", ...times, ...rates };
}

/** How `now` compares with `then`, on machines with these ceilings. */
function compared(then: ResultRow, now: ResultRow, { before = ceilings, after = ceilings } = {}) {
  return compare({ adapter, ceilings: before, rows: [then] }, { ceilings: after, rows: [now] })[0]!;
}

test.each([
  [100, 109, "same"],
  [100, 111, "slower"],
  [109, 100, "same"],
  [111, 100, "faster"],
])("without spread, %d ms that become %d are %s", (then, now, verdict) => {
  expect(compared(row(then), row(now)).verdict).toBe(verdict);
});

test("what both spreads explain is noise, in both directions", () => {
  const [small, large] = [row(100, { spread: 0.1 }), row(150, { spread: 0.2 })];
  const { ratio, limit, verdict } = compared(small, large);
  expect([ratio, limit]).toEqual([1.5, expect.closeTo(1.1 * 1.1 / 0.8)]);
  expect(verdict).toBe("same");
  expect(compared(large, small).verdict).toBe("same");
  expect(compared(small, row(152, { spread: 0.2 })).verdict).toBe("slower");
  expect(compared(row(100), row(150, { spread: 0.2 })).verdict).toBe("slower");
});

test.each([
  ["arithmetic", { gflops: 80, gbytes: 1 }, { gflops: 50, gbytes: 10 }],
  ["memory, of an op that computes", { gflops: 8, gbytes: 8 }, { gflops: 100, gbytes: 5 }],
  ["memory", { gbytes: 8 }, { gflops: 100, gbytes: 5 }],
  ["all of it, of a program", {}, { gflops: 50, gbytes: 5 }],
])("a machine with half the speed of %s may take twice as long", (_, rates, after) => {
  expect(compared(row(100, rates), row(200, rates), { after })).toMatchObject({ ratio: 1, verdict: "same" });
  expect(compared(row(200, rates), row(200, rates), { before: after })).toMatchObject({ ratio: 2, verdict: "slower" });
});

test("only rows of the same name and shape are compared", () => {
  const before: Baseline = { adapter, ceilings, rows: [row(1), { ...row(1), name: "op/gone" }] };
  expect(compare(before, { ceilings, rows: [{ ...row(1), shape: "5 x 6" }, { ...row(1), name: "op/new" }] })).toEqual(
    [],
  );
});

test("a report is read back, quartiles or not", async () => {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  const { low: _low, high: _high, ...bare } = row(3);
  await Deno.writeTextFile(path, JSON.stringify({ date: "then", adapter, ceilings, rows: [row(2), bare] }));
  const before = await readBaseline(path, adapter);
  expect(before.rows.map(({ ms, low }) => [ms, low])).toEqual([[2, 2], [3, undefined]]);
  expect(compare(before, { ceilings, rows: [row(2)] })).toHaveLength(1);
  await expect(readBaseline(path, { ...adapter, cores: 4 })).rejects.toThrow(
    `Cannot compare with "${path}": the adapter must be the same: it was some adapter (2 cores): it is some adapter (4`,
  );
  await Deno.writeTextFile(path, JSON.stringify({ adapter, ceilings, rows: [{ ...row(2), ms: "2" }] }));
  await expect(readBaseline(path, adapter)).rejects.toThrow(/must be what --json wrote: at "rows.0.ms"/);
  await Deno.remove(path);
  await expect(readBaseline(path, adapter)).rejects.toThrow(/must be a readable JSON file/);
});

import { expect, test } from "vitest";
import { type Ceilings, ceilingsOf } from "../../bench/ceilings/ceilings.ts";
import { type Baseline, compare, readBaseline } from "../../bench/compare.ts";
import type { ResultRow } from "../../bench/report.ts";

const ceilings: Ceilings = { gflops: 100, gbytes: 10 };
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
  expect(compared(row(200, rates), row(400, rates), { before: after })).toMatchObject({ ratio: 2, verdict: "slower" });
  expect(compared(row(400, rates), row(200, rates), { after })).toMatchObject({ ratio: 0.5, verdict: "faster" });
});

test("a ceiling that came out too low makes no row slower or faster", () => {
  const [busy, quiet] = [{ gflops: 100, gbytes: 5.39 }, { gflops: 100, gbytes: 10.3 }];
  const same = row(100, { gbytes: 4 });
  expect(compared(same, same, { before: busy, after: quiet })).toMatchObject({ ratio: 1, verdict: "same" });
  expect(compared(same, same, { before: quiet, after: busy })).toMatchObject({ ratio: 1, verdict: "same" });
  // Neither that nor the opposite of what the milliseconds say.
  expect(compared(same, row(80, { gbytes: 5 }), { before: busy, after: quiet }).verdict).toBe("same");
});

test("what changed the ceilings during a run is in the limit of the rows that they bound", () => {
  const busy = { gflops: 100, gbytes: 10, low: { gflops: 100, gbytes: 5 } };
  const [then, now] = [row(100, { gbytes: 4 }), row(200, { gbytes: 2 })];
  expect(compared(then, now)).toMatchObject({ ratio: 2, verdict: "slower" });
  for (const machine of [{ before: busy }, { after: busy }]) {
    expect(compared(then, now, machine)).toMatchObject({ ratio: 2, limit: expect.closeTo(2.2), verdict: "same" });
  }
  const computes = { gflops: 80, gbytes: 1 };
  expect(compared(row(100, computes), row(200, computes), { before: busy }).verdict).toBe("slower");
  expect(ceilingsOf({ gflops: 100, gbytes: 5 }, { gflops: 90, gbytes: 10 })).toEqual({
    ...{ gflops: 100, gbytes: 10 },
    low: { gflops: 90, gbytes: 5 },
  });
});

test("only rows of the same name and shape are compared, and there must be some", () => {
  const before: Baseline = { adapter, ceilings, rows: [row(1), { ...row(1), name: "op/gone" }] };
  const others = [{ ...row(1), shape: "5 x 6" }, { ...row(1), name: "op/new" }];
  expect(compare(before, { ceilings, rows: [...others, row(1)] })).toHaveLength(1);
  expect(() => compare(before, { ceilings, rows: others })).toThrow(
    "Cannot compare: a row of the same name and shape must be in both reports: none is",
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

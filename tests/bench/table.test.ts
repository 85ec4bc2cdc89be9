import { expect, test } from "vitest";
import { median, quantile, repeats, summary } from "../../bench/measure.ts";
import { percent, short, Table } from "../../bench/table.ts";

test("cells stand under each other, words left and numbers right", () => {
  const table = new Table([{ title: "name", left: true, width: 6 }, { title: "ms" }, { title: "rate", width: 5 }]);
  expect([table.head(), table.line(["matmul", "7", "-"]), table.line(["rope", "12", ""])]).toEqual([
    "name    ms   rate",
    "matmul   7      -",
    "rope    12",
  ]);
});

test("numbers have three digits that matter", () => {
  expect([0.01234, 1.2345, 99.96, 1234.5, undefined].map(short)).toEqual(["0.0123", "1.23", "100", "1235", "-"]);
  expect([0.004, 0.0994, 0.0996, 1.23, undefined].map(percent)).toEqual(["0.4%", "9.9%", "10%", "123%", "-"]);
});

test("the median is the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test("quartiles lie between the values around them", () => {
  expect([0, 0.25, 0.5, 1].map((share) => quantile([4, 1, 2, 3], share))).toEqual([1, 1.75, 2.5, 4]);
  expect(summary([30, 10, 20])).toEqual({ runs: 3, ms: 20, low: 15, high: 25 });
});

test("a shape runs at least five times, else for a second, at most 200 times", () => {
  expect([3000, 100, 0.001].map((milliseconds) => repeats(milliseconds))).toEqual([5, 10, 200]);
});

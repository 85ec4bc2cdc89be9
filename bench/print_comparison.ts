import type { Baseline, Comparison } from "./compare.ts";
import type { Report } from "./report.ts";
import { short, Table } from "./table.ts";

/** Prints what became faster, slower or neither since `before`, and what only one of the runs has measured. */
export function printComparison(comparisons: readonly Comparison[], before: Baseline, now: Pick<Report, "rows">): void {
  const width = (title: "name" | "shape") => Math.max(0, ...comparisons.map((each) => each[title].length));
  const table = new Table([
    { title: "compared", left: true, width: width("name") },
    { title: "shape", left: true, width: width("shape") },
    { title: "ms then", width: 7 },
    { title: "ms now", width: 7 },
    { title: "ratio" },
    { title: "limit" },
    { title: "" },
  ]);
  console.log(`\n${table.head()}`);
  for (const { name, shape, before, now, ratio, limit, verdict } of comparisons) {
    const told = verdict === "same" ? "" : verdict;
    console.log(table.line([name, shape, short(before), short(now), ratio.toFixed(2), limit.toFixed(2), told]));
  }
  const count = (verdict: Comparison["verdict"]) => comparisons.filter((each) => each.verdict === verdict).length;
  const alone = ({ rows }: { rows: readonly unknown[] }) => rows.length - comparisons.length;
  console.log(
    `${count("slower")} slower beyond noise, ${count("faster")} faster, ${count("same")} the same; ` +
      `measured only then: ${alone(before)}, only now: ${alone(now)}`,
  );
}

import type { Gpu } from "@fluxsr/kernels";
import { allCases } from "./cases/mod.ts";
import type { Ceilings } from "./ceilings/ceilings.ts";
import { dispatchTimes } from "./dispatch.ts";
import type { ResultRow } from "./report.ts";
import { cells, resultTable, runCase } from "./run_cases.ts";
import type { Table } from "./table.ts";
import { trainStepStages } from "./train_step.ts";
import { upscaleStages } from "./upscale.ts";

/** What is timed as a whole, part by part. */
const PROGRAMS = [
  { name: "runtime", parts: dispatchTimes },
  { name: "upscale", parts: upscaleStages },
  { name: "train_step", parts: trainStepStages },
];

/** Prints and returns a row for each op, and each part of a program, whose name or shape contains `filter`. */
export async function runRows(gpu: Gpu, filter: string, ceilings: Ceilings): Promise<ResultRow[]> {
  const rows: ResultRow[] = [];
  const show = (table: Table, row: ResultRow) => {
    rows.push(row);
    console.log(table.line(cells(row)));
  };
  const cases = allCases(gpu.adapter).filter(({ name, shape }) => `${name} ${shape}`.includes(filter));
  if (cases.length > 0) {
    const table = resultTable(cases);
    console.log(`\n${table.head()}`);
    for (const each of cases) show(table, await runCase(gpu, each, ceilings));
  }
  for (const { name, parts } of PROGRAMS) {
    if (!name.includes(filter) && !filter.startsWith(name)) continue;
    const results = await parts(gpu);
    const table = resultTable(results);
    console.log(`\n${table.head()}`);
    for (const row of results) show(table, row);
  }
  return rows;
}

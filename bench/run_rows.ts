import type { Gpu } from "@fluxsr/kernels";
import type { Case } from "./case.ts";
import { allCases } from "./cases/mod.ts";
import type { Rates } from "./ceilings/ceilings.ts";
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

/** What there are rows of. */
export interface Timed {
  readonly cases: readonly Case[];
  readonly programs: typeof PROGRAMS;
}

/** The ops whose name or shape contains `filter`, and the programs that have parts whose name does. */
export function timedBy(adapter: { readonly software: boolean }, filter: string): Timed {
  return {
    cases: allCases(adapter).filter(({ name, shape }) => `${name} ${shape}`.includes(filter)),
    programs: PROGRAMS.filter(({ name }) => name.includes(filter) || filter.startsWith(`${name}/`)),
  };
}

/** Prints and returns a row for each op and for each part of a program. */
export async function runRows(gpu: Gpu, { cases, programs }: Timed, ceilings: Rates): Promise<ResultRow[]> {
  const rows: ResultRow[] = [];
  const show = (table: Table, row: ResultRow) => {
    rows.push(row);
    console.log(table.line(cells(row)));
  };
  if (cases.length > 0) {
    const table = resultTable(cases);
    console.log(`\n${table.head()}`);
    for (const each of cases) show(table, await runCase(gpu, each, ceilings));
  }
  for (const { parts } of programs) {
    const results = await parts(gpu);
    const table = resultTable(results);
    console.log(`\n${table.head()}`);
    for (const row of results) show(table, row);
  }
  return rows;
}

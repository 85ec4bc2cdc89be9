/** `deno task bench`: every op at the shapes of the networks, checked, then timed; see results/README.md. */
import { Command } from "commander";
import { type Gpu, openGpu } from "@fluxsr/kernels";
import { applyTuning, saveTuning } from "../packages/cli/_tuning.ts";
import { allCases } from "./cases/mod.ts";
import { type Ceilings, measureCeilings } from "./ceilings/ceilings.ts";
import { allCourses } from "./peers/courses.ts";
import { openPeers, type Race, race } from "./peers/race.ts";
import { heading, type Report, type ResultRow } from "./report.ts";
import { cells, resultTable, runCase } from "./run_cases.ts";
import { short, Table } from "./table.ts";
import { tune } from "./tune.ts";
import { trainStepStages } from "./train_step.ts";
import { upscaleStages } from "./upscale.ts";

/** What is timed stage by stage. */
const PROGRAMS = [{ name: "upscale", stages: upscaleStages }, { name: "train_step", stages: trainStepStages }];

/** What the command line may ask for. */
interface Options {
  readonly json?: string;
  readonly peers?: true;
  readonly tune?: true;
}

async function main(filter: string, { json, peers, tune: tuned }: Options): Promise<void> {
  using gpu = await openGpu();
  await applyTuning(gpu);
  const head = heading(gpu.adapter);
  console.log(`${head.adapter.description}, ${head.adapter.cores} cores, Deno ${head.versions["deno"]}`);
  console.log(head.date.slice(0, 10));
  if (tuned) {
    await tune(gpu, allCases(gpu.adapter).filter(({ name }) => name.includes(filter)), console.log);
    console.log(`written to ${await saveTuning(gpu)}`);
    return;
  }
  const ceilings = await measureCeilings(gpu);
  console.log(`ceilings: ${short(ceilings.gflops)} GFLOP/s (FMA), ${short(ceilings.gbytes)} GB/s (copy)`);
  const rows = await runRows(gpu, filter, ceilings);
  const races = peers ? await runRaces(gpu, filter) : undefined;
  if (rows.length === 0 && !races?.length) {
    throw new Error(`Cannot bench "${filter}": nothing that is timed has this in its name or shape`);
  }
  const report: Report = { ...head, ceilings, rows, ...(races ? { races } : {}) };
  if (json !== undefined) await Deno.writeTextFile(json, `${JSON.stringify(report, rounded, 2)}\n`);
}

/** Prints and returns a row for each op and each stage of a program whose name or shape contains `filter`. */
async function runRows(gpu: Gpu, filter: string, ceilings: Ceilings): Promise<ResultRow[]> {
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
  for (const { name, stages } of PROGRAMS) {
    if (!name.includes(filter) && !filter.startsWith(name)) continue;
    const results = await stages(gpu);
    const table = resultTable(results);
    console.log(`\n${table.head()}`);
    for (const row of results) show(table, row);
  }
  return rows;
}

/** Prints and returns a race against the peers for each course whose name contains `filter`. */
async function runRaces(gpu: Gpu, filter: string): Promise<Race[]> {
  const courses = allCourses().filter(({ name }) => name.includes(filter));
  if (courses.length === 0) return [];
  const runners = await openPeers();
  const table = new Table([
    { title: "wall ms of one, in a batch", left: true, width: Math.max(...courses.map(({ name }) => name.length)) },
    { title: "batch", width: 5 },
    { title: "fluxsr", width: 7 },
    ...runners.map(({ name }) => ({ title: name, width: 12 })),
    { title: "ratio", width: 5 },
    { title: "fluxsr on the GPU" },
  ]);
  console.log(`\n${table.head()}`);
  const races: Race[] = [];
  for (const course of courses) {
    const result = await race(gpu, course, runners);
    const peers = Object.values(result.peers).map((cell) => typeof cell === "number" ? short(cell) : cell.slice(0, 40));
    const { name, batch, fluxsr, ratio, fluxsr_gpu } = result;
    console.log(
      table.line([name, String(batch), short(fluxsr), ...peers, ratio?.toFixed(2) ?? "-", short(fluxsr_gpu)]),
    );
    races.push(result);
  }
  return races;
}

/** Four digits of every number that is not whole: more is noise. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}

await new Command("bench")
  .description("Times every op at the shapes of the networks, after a check against an f64 reference")
  .argument("[filter]", "only what has this in its name or shape", "")
  .option("--json <file>", "also write the results to a file")
  .option("--tune", "try every way of computing products instead, and keep what is best for all commands")
  .option("--peers", "race products, convolutions and backward passes against jax-js and TensorFlow.js")
  .action(async (filter: string, options: Options) => {
    try {
      await main(filter, options);
    } catch (error) {
      console.error(`error: ${error instanceof Error ? error.message : error}`);
      Deno.exit(1);
    }
  })
  .parseAsync(Deno.args, { from: "user" });
Deno.exit(0); // the peers keep devices open

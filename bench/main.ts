/** `deno task bench`: every op at the shapes of the networks, checked, then timed; see results/README.md. */
import { Command } from "commander";
import { gpuOption, openChosenGpu } from "../packages/cli/_gpu.ts";
import { saveTuning } from "../packages/cli/_tuning.ts";
import { allCases } from "./cases/mod.ts";
import { measureCeilings } from "./ceilings/ceilings.ts";
import { compare, readBaseline } from "./compare.ts";
import { runRaces } from "./peers/run_races.ts";
import { printComparison } from "./print_comparison.ts";
import { heading, type Report } from "./report.ts";
import { drawRoofline } from "./roofline.ts";
import { runRows } from "./run_rows.ts";
import { short } from "./table.ts";
import { tune } from "./tune.ts";

/** What the command line may ask for. */
interface Options {
  readonly json?: string;
  readonly against?: string;
  readonly peers?: true;
  readonly tune?: true;
  readonly gpu: string;
  readonly matrices?: true;
}

async function main(filter: string, options: Options, command: Command): Promise<void> {
  using gpu = await openChosenGpu(command, { matrices: options.matrices ?? false });
  const head = heading(gpu.adapter, { provider: options.gpu });
  console.log(`${head.adapter.description}, ${head.adapter.cores} cores, Deno ${head.versions["deno"]}`);
  console.log(head.date.slice(0, 10));
  if (options.tune) {
    await tune(gpu, allCases(gpu.adapter).filter(({ name }) => name.includes(filter)), console.log);
    console.log(`written to ${await saveTuning(gpu)}`);
    return;
  }
  const { json, against, peers } = options;
  const before = against === undefined ? undefined : await readBaseline(against, head.adapter);
  const ceilings = await measureCeilings(gpu);
  console.log(`ceilings: ${short(ceilings.gflops)} GFLOP/s (FMA), ${short(ceilings.gbytes)} GB/s (copy)`);
  const rows = await runRows(gpu, filter, ceilings);
  const races = peers ? await runRaces(gpu, filter) : undefined;
  if (rows.length === 0 && !races?.length) {
    throw new Error(`Cannot bench "${filter}": nothing that is timed has this in its name or shape`);
  }
  const report: Report = { ...head, ceilings, rows, ...(races ? { races } : {}) };
  if (json !== undefined) {
    await Deno.writeTextFile(json, `${JSON.stringify(report, rounded, 2)}\n`);
    await Deno.writeTextFile(`${json.replace(/\.json$/, "")}.svg`, await drawRoofline(report));
  }
  if (before) {
    const comparisons = compare(before, report);
    printComparison(comparisons, before, report);
    if (comparisons.some(({ verdict }) => verdict === "slower")) Deno.exitCode = 1;
  }
}

/** Four digits of every number that is not whole: more is noise. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}

await new Command("bench")
  .description("Times every op at the shapes of the networks, after a check against an f64 reference")
  .argument("[filter]", "only what has this in its name or shape", "")
  .option("--json <file>", "also write the results to a file, and their roofline picture beside it (.svg)")
  .option("--against <file>", "compare with what --json wrote before; the exit code is 1 if anything became slower")
  .option("--tune", "try every way of computing products instead, and keep what is best for all commands")
  .option("--peers", "race jax-js, TensorFlow.js, ONNX Runtime and, where CUDA is, PyTorch")
  .addOption(gpuOption())
  .option("--matrices", "leave large products to matrix units, where there are some: they round operands to f16")
  .action(main)
  .parseAsync(Deno.args, { from: "user" })
  .catch((error: unknown) => {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  });
Deno.exit(); // the peers keep devices open

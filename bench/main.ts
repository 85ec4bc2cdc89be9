/** `deno task bench`: every op at the shapes of the networks, checked, then timed; see results/README.md. */
import { InputError } from "@fluxsr/core";
import { Command, Option } from "commander";
import { gpuOption, openChosenGpu } from "../packages/cli/_gpu.ts";
import { saveTuning } from "../packages/cli/_tuning.ts";
import { ceilingsOf, measureCeilings, type Rates } from "./ceilings/ceilings.ts";
import { compare, readBaseline } from "./compare.ts";
import { coursesBy, runRaces } from "./peers/run_races.ts";
import { printComparison } from "./print_comparison.ts";
import { heading, type Report } from "./report.ts";
import { withShares } from "./run_cases.ts";
import { runRows, timedBy } from "./run_rows.ts";
import { checkReportPlace, saveReport } from "./save_report.ts";
import { short } from "./table.ts";
import { productsBy, tune } from "./tune.ts";

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
    await tune(gpu, productsBy(gpu.adapter, filter), console.log);
    console.log(`written to ${await saveTuning(gpu)}`);
    return;
  }
  const { json, against, peers } = options;
  const timed = timedBy(gpu.adapter, filter);
  const courses = peers ? coursesBy(gpu.adapter, filter) : [];
  if (timed.cases.length + timed.programs.length + courses.length === 0) throw nothingBy(filter);
  if (json !== undefined) await checkReportPlace(json);
  const before = against === undefined ? undefined : await readBaseline(against, head.adapter);
  const first = await measureCeilings(gpu);
  showCeilings("ceilings", first);
  const shown = await runRows(gpu, timed, first);
  const races = peers ? await runRaces(gpu, courses) : undefined;
  const ceilings = ceilingsOf(first, await measureCeilings(gpu));
  showCeilings("\nceilings, the better of before and after", ceilings);
  const rows = shown.map((row) => withShares(row, ceilings));
  const report: Report = { ...head, ceilings, rows, ...(races ? { races } : {}) };
  if (json !== undefined) await saveReport(json, report);
  if (before) {
    const comparisons = compare(before, report);
    printComparison(comparisons, before, report);
    if (comparisons.some(({ verdict }) => verdict === "slower")) Deno.exitCode = 1;
  }
}

function showCeilings(what: string, { gflops, gbytes }: Rates): void {
  console.log(`${what}: ${short(gflops)} GFLOP/s (FMA), ${short(gbytes)} GB/s (copy)`);
}

function nothingBy(filter: string): InputError {
  return new InputError(`Cannot bench "${filter}": it must be part of a name or shape that is timed: it is of none`, {
    hint: `names are like "matmul/starter.img_qkv", shapes like "1024 x 192 x 576"; races need --peers`,
  });
}

await new Command("bench")
  .description("Times every op at the shapes of the networks, after a check against an f64 reference")
  .argument("[filter]", "only what has this in its name or shape", "")
  .option("--json <file>", "also write the results to a file, and their roofline picture beside it (.svg)")
  .option("--against <file>", "compare with what --json wrote before; the exit code is 1 if anything became slower")
  .addOption(
    new Option("--tune", "try every way of computing products instead, and keep what is best for all commands")
      // With matrix units all ways would be one: those are asked before the tuning.
      .conflicts(["json", "against", "peers", "matrices"]),
  )
  .option("--peers", "race jax-js, TensorFlow.js, ONNX Runtime and, where CUDA is, PyTorch")
  .addOption(gpuOption())
  .option("--matrices", "leave large products to matrix units, where there are some: they round operands to f16")
  .action(main)
  .parseAsync(Deno.args, { from: "user" })
  .catch((error: unknown) => {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    if (error instanceof InputError && error.hint !== undefined) console.error(`Hint: ${error.hint}`);
    Deno.exit(1);
  });
Deno.exit(); // the peers keep devices open

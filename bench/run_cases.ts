import type { Gpu } from "@fluxsr/kernels";
import type { Case } from "./case.ts";
import type { Rates } from "./ceilings/ceilings.ts";
import { checkWork } from "./check.ts";
import { gpuTimes, summary, warmUp } from "./measure.ts";
import type { ResultRow } from "./report.ts";
import { percent, short, Table } from "./table.ts";

/** The table of {@linkcode ResultRow}s, wide enough for `names` and `shapes`. */
export function resultTable(lines: readonly { name: string; shape: string }[]): Table {
  return new Table([
    { title: "name", left: true, width: Math.max(...lines.map(({ name }) => name.length)) },
    { title: "shape", left: true, width: Math.max(...lines.map(({ shape }) => shape.length)) },
    { title: "ms", width: 7 },
    { title: "GFLOP/s", width: 7 },
    { title: "GB/s", width: 7 },
    { title: "of FMA", width: 6 },
    { title: "of copy", width: 7 },
  ]);
}

/** The cells of {@linkcode resultTable}. */
export function cells({ name, shape, ms, gflops, gbytes, of_fma, of_copy }: ResultRow): string[] {
  return [name, shape, short(ms), short(gflops), short(gbytes), percent(of_fma), percent(of_copy)];
}

/** The row with the shares (0..1) that its rates are of these ceilings. */
export function withShares(row: ResultRow, ceilings: Rates): ResultRow {
  const { gflops, gbytes } = row;
  return {
    ...row,
    ...gbytes === undefined ? {} : { of_copy: gbytes / ceilings.gbytes },
    ...gflops === undefined ? {} : { of_fma: gflops / ceilings.gflops },
  };
}

/**
 * Checks one op at one shape, then times it.
 * @throws {WrongResultError} if its result is wrong
 */
export async function runCase(gpu: Gpu, { name, shape, origin, flops, bytes, open }: Case, ceilings: Rates) {
  const work = open(gpu);
  await checkWork(gpu, `${name} (${shape})`, work);
  await warmUp(gpu, work.run);
  const times = summary(await gpuTimes(gpu, work.run));
  work.tape?.close();
  for (const input of work.inputs) input.dispose();
  gpu.trim();
  const gbytes = bytes / times.ms / 1e6;
  const row: ResultRow = { name, shape, origin, ...times, gbytes };
  return withShares(flops === undefined ? row : { ...row, gflops: flops / times.ms / 1e6 }, ceilings);
}

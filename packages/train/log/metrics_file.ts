import { InputError, osReason, writeAtomically } from "@fluxsr/core";
import { z } from "zod";
import { append } from "./append.ts";

/** JSON has no NaN and no infinity: they are written as null, and read as NaN. */
const figure = z.number().nullable().transform((value) => value ?? NaN);
const figures = z.record(z.string(), figure);
const step = z.int().nonnegative();
const time = z.iso.datetime();

/** What a step was like: losses unweighted by term and their weighted `total`, norms of gradients before clipping. */
const stepRecord = z.object({ step, time, lr: figure, loss: figures, grad_norm: figures, images_per_s: figure });

/** How the weights after a step do; with `baseline`, how something else does that they compare with. */
const validationRecord = z.object({ step, time, validation: figures, baseline: z.string().optional() });

const metricRecord = z.union([stepRecord, validationRecord]);

export type StepRecord = z.infer<typeof stepRecord>;
export type ValidationRecord = z.infer<typeof validationRecord>;

/** A line of `metrics.jsonl`. */
export type MetricRecord = z.infer<typeof metricRecord>;

/** Adds a line. @throws {InputError} if it cannot be written */
export async function appendRecord(path: string, record: MetricRecord): Promise<void> {
  await append(path, new TextEncoder().encode(`${JSON.stringify(record)}\n`));
}

/**
 * All records of a `metrics.jsonl`. What follows the last line break is the line that a killed process did not finish,
 * and is left out. A file that is not there has none.
 *
 * @throws {InputError} if the file cannot be read, or a line is no record
 */
export async function readRecords(path: string): Promise<MetricRecord[]> {
  return (await readLines(path) ?? []).map(({ record }) => record);
}

/**
 * Drops the records of step `from` and later, and a line that was not finished: the file is then that of a run that is
 * about to make step `from`. A file that is not there stays so.
 *
 * @throws {InputError} if the file cannot be read or written, or a line is no record
 */
export async function dropRecords(path: string, { from }: { from: number }): Promise<void> {
  const lines = await readLines(path);
  if (!lines) return;
  const kept = lines.filter(({ record }) => record.step < from);
  const text = kept.map(({ line }) => `${line}\n`).join("");
  await writeAtomically(path, new TextEncoder().encode(text), { overwrite: true });
}

/** The whole lines of a file, with what they say; undefined: there is no file. */
async function readLines(path: string): Promise<{ line: string; record: MetricRecord }[] | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new InputError(`Cannot read "${path}": ${osReason(cause)}`, { cause });
  }
  return text.split("\n").slice(0, -1).map((line, i) => {
    return { line, record: parseRecord(line, `Cannot read "${path}": line ${i + 1} must be a record`) };
  });
}

function parseRecord(line: string, failure: string): MetricRecord {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new InputError(`${failure}: it is not JSON`, { cause });
  }
  const { data, error } = metricRecord.safeParse(json);
  if (!data) throw new InputError(`${failure}: it has other fields`, { cause: error });
  return data;
}

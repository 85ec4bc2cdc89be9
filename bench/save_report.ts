import { checkPlace, InputError, writeAtomically } from "@fluxsr/core";
import { dirname } from "node:path";
import type { Report } from "./report.ts";
import { drawRoofline } from "./roofline.ts";

const JSON_NAME = /\.json$/;

/** Where the roofline of the report at `path` goes. */
function pictureOf(path: string): string {
  return path.replace(JSON_NAME, ".svg");
}

/**
 * Checks that a report can be written to `path`, and its roofline beside it: before the minutes that it takes.
 * @throws {InputError} if the name does not end in .json, or the folder is missing or not writable
 */
export async function checkReportPlace(path: string): Promise<void> {
  if (!JSON_NAME.test(path)) {
    throw new InputError(`Cannot write "${path}": the name must end in .json: the roofline is drawn beside it`);
  }
  for (const each of [path, pictureOf(path)]) await checkPlace(each, { overwrite: true });
  try {
    // Tried out, as permissions alone do not tell of a disk that is mounted read-only.
    await Deno.remove(await Deno.makeTempFile({ dir: dirname(path), prefix: ".fluxsr-" }));
  } catch (error) {
    throw new InputError(`Cannot write "${path}": its folder must be writable: ${(error as Error).message}`);
  }
}

/** Writes a report and its roofline, each whole or not at all. */
export async function saveReport(path: string, report: Report): Promise<void> {
  await save(path, `${JSON.stringify(report, rounded, 2)}\n`);
  await save(pictureOf(path), await drawRoofline(report));
}

async function save(path: string, text: string): Promise<void> {
  await writeAtomically(path, new TextEncoder().encode(text), { overwrite: true });
}

/** Four digits of every number that is not whole: more is noise. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}

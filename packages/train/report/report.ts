import { Buffer } from "node:buffer";
import { join } from "node:path";
import { readJson, writeAtomically } from "@fluxsr/core";
import { type MetricRecord, readRecords, type ValidationRecord } from "../log/metrics_file.ts";
import { METRICS, sheetPath } from "../log/metrics_log.ts";
import { lossCurves, stepsOf, validationCurves, validationsOf } from "./curves.ts";
import { knownFigure } from "./known_figures.ts";
import { type Cell, figure, page, section, table } from "./page.ts";

/** What a report tells of a run. */
export interface Run {
  readonly title: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly records: readonly MetricRecord[];
  /** SVG of the loss terms and of the validation's figures against steps. */
  readonly curves: { readonly loss: string | undefined; readonly validation: string | undefined };
  /** The last validation's pictures, PNG. */
  readonly sheet?: Uint8Array | undefined;
  /** What the sheet's columns are. */
  readonly columns?: readonly string[] | undefined;
}

/**
 * Writes `report.html` of the run in `folder`, and its curves as `loss.svg` and `validation.svg`, from its `config.json`,
 * `metrics.jsonl` and last sheet.
 *
 * @param options `columns` says what the sheet's columns are
 * @returns the path of the page
 * @throws {InputError} if the run's files are missing or damaged, or the report cannot be written
 */
export async function writeReport(
  folder: string,
  { title, columns }: { title: string; columns?: readonly string[] },
): Promise<string> {
  const config = await readJson(join(folder, "config.json")) as Run["config"];
  const records = await readRecords(join(folder, METRICS));
  const last = ofModel(records).at(-1);
  const sheet = last && await Deno.readFile(join(folder, sheetPath(last.step))).catch(() => undefined);
  const curves = { loss: await lossCurves(records), validation: await validationCurves(records) };
  const files = {
    "report.html": report({ title, config, records, curves, sheet, columns }),
    "loss.svg": curves.loss,
    "validation.svg": curves.validation,
  };
  for (const [name, text] of Object.entries(files)) {
    if (text) await writeAtomically(join(folder, name), new TextEncoder().encode(text), { overwrite: true });
  }
  return join(folder, "report.html");
}

/** One page of HTML that needs no other file: figures, curves, pictures, configuration. */
export function report({ title, config, records, curves, sheet, columns = [] }: Run): string {
  const caption = columns.length > 0 ? `From left to right: ${columns.join(", ")}.` : "";
  const sections = [
    figuresTable(records),
    curves.validation && section("Validation", figure(curves.validation, "Dashed: what to compare with.")),
    sheet && section("Pictures of the last validation", figure(image(sheet), caption)),
    curves.loss &&
    section("Loss", figure(curves.loss, "Each term by itself, unweighted; the thick line is a running average.")),
    section(
      "Configuration",
      table([], Object.entries(config).map(([key, value]) => [{ text: key }, { text: show(value) }])),
    ),
  ];
  return page(title, { intro: introduction(records), sections: sections.filter((each) => each !== undefined) });
}

/** `1000 steps from 2026-01-02 03:04 to 2026-01-02 05:06 UTC; 3.10 pictures a second at the end.` */
function introduction(records: readonly MetricRecord[]): string {
  const [first, last] = [records[0], stepsOf(records).at(-1)];
  if (!first || !last) return "No step was recorded.";
  const minute = ({ time }: MetricRecord) => time.slice(0, 16).replace("T", " ");
  const pace = `${last.images_per_s.toPrecision(3)} pictures a second at the end`;
  return `${last.step} steps from ${minute(first)} to ${minute(last)} UTC; ${pace}.`;
}

/** The figures of the baselines, before the first step and after the last. */
function figuresTable(records: readonly MetricRecord[]): string | undefined {
  const models = ofModel(records);
  const [first, last] = [models[0], models.at(-1)];
  if (!first || !last) return undefined;
  const columns = [
    ...validationsOf(records).filter(({ baseline }) => baseline !== undefined),
    ...(first === last ? [last] : [first, last]),
  ];
  const headings = columns.map(({ baseline, step }): Cell => ({ text: baseline ?? `step ${step}`, kind: "number" }));
  const rows = Object.keys(last.validation).map((name) => {
    const { label, wanted } = knownFigure(name);
    const values = columns.map(({ validation }): Cell => ({ text: digits(validation[name] ?? NaN), kind: "number" }));
    return [{ text: label }, ...values, { text: wanted, kind: "note" as const }];
  });
  return section("Figures", table([{ text: "" }, ...headings, { text: "" }], rows));
}

function ofModel(records: readonly MetricRecord[]): ValidationRecord[] {
  return validationsOf(records).filter(({ baseline }) => baseline === undefined);
}

function digits(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(4) : "-";
}

function show(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function image(png: Uint8Array): string {
  return `<img alt="Pictures side by side" src="data:image/png;base64,${Buffer.from(png).toString("base64")}">`;
}

import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { MetricRecord, StepRecord, ValidationRecord } from "../log/metrics_file.ts";
import { knownFigure } from "./known_figures.ts";
import { type Point, seriesOf, smoothed, thinned } from "./series.ts";

/** A small diagram: values against steps. */
interface Panel {
  readonly title: string;
  readonly subtitle: string;
  readonly line: readonly Point[];
  /** What the line is a running average of. */
  readonly raw: readonly Point[];
  /** Dashed lines to compare with. */
  readonly baselines: readonly { readonly name: string; readonly value: number }[];
}

/** Curves that span more than this are drawn on a logarithmic scale. */
const LOGARITHMIC_FROM = 20;

/** Up to so many values are marked each by a point. */
const FEW = 30;

const COLUMNS = 2;
const WIDTH = 330;
const HEIGHT = 170;
const FAINT = "#a9c8e3";
const STRONG = "#1c5a94";
const GREY = "#767676";

/** SVG of every loss term and the total against the step, raw and smoothed; undefined if no step was recorded. */
export async function lossCurves(records: readonly MetricRecord[]): Promise<string | undefined> {
  const steps = stepsOf(records).map(({ step, loss }) => ({ step, values: loss }));
  return await draw(
    namesIn(steps).map((name) => {
      const raw = seriesOf(steps, name);
      return { title: `loss: ${name}`, subtitle: "", line: smoothed(raw), raw, baselines: [] };
    }),
  );
}

/** SVG of every figure of the validation, with its baselines; undefined if there was no validation. */
export async function validationCurves(records: readonly MetricRecord[]): Promise<string | undefined> {
  const validations = validationsOf(records);
  const baselines = validations.filter(({ baseline }) => baseline !== undefined);
  const models = validations.filter(({ baseline }) => baseline === undefined)
    .map(({ step, validation }) => ({ step, values: validation }));
  return await draw(
    namesIn(models).map((name) => {
      const { label, wanted } = knownFigure(name);
      const values = baselines.map(({ baseline = "", validation }) => ({
        name: baseline,
        value: validation[name] ?? NaN,
      }));
      return {
        title: label,
        subtitle: wanted,
        line: seriesOf(models, name),
        raw: [],
        baselines: values.filter(({ value }) => Number.isFinite(value)),
      };
    }),
  );
}

/** The records of steps. */
export function stepsOf(records: readonly MetricRecord[]): StepRecord[] {
  return records.filter((record) => "loss" in record);
}

/** The records of validations and their baselines. */
export function validationsOf(records: readonly MetricRecord[]): ValidationRecord[] {
  return records.filter((record) => "validation" in record);
}

/** `total` first, then in the order in which names appear. */
function namesIn(records: readonly { readonly values: Readonly<Record<string, number>> }[]): string[] {
  const names = new Set(records.flatMap(({ values }) => Object.keys(values)));
  return [...names].sort((a, b) => Number(b === "total") - Number(a === "total"));
}

async function draw(panels: readonly Panel[]): Promise<string | undefined> {
  const filled = panels.filter(({ line }) => line.length > 0);
  if (filled.length === 0) return undefined;
  const spec: TopLevelSpec = {
    concat: filled.map(panelSpec),
    columns: COLUMNS,
    spacing: 32,
    background: "white",
    config: {
      font: "system-ui, sans-serif",
      axis: { labelColor: GREY, titleColor: GREY, gridColor: "#eee", domainColor: "#bbb", tickColor: "#bbb" },
      title: { anchor: "start", frame: "group", fontSize: 13, subtitleColor: GREY },
      view: { stroke: null },
    },
  };
  return await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
}

function panelSpec({ title, subtitle, line, raw, baselines }: Panel) {
  const values = [...line, ...raw, ...baselines].map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = low > 0 && high > LOGARITHMIC_FROM * low
    ? { type: "log" as const }
    : { type: "linear" as const, zero: false };
  const y = { field: "value", type: "quantitative" as const, title: null, scale };
  const x = { field: "step", type: "quantitative" as const, title: "step", axis: { tickCount: 5, format: ",d" } };
  const curve = (data: readonly Point[], mark: { color: string; strokeWidth: number; point?: boolean }) => ({
    data: { values: thinned(data) },
    mark: { type: "line" as const, ...mark },
    encoding: { x, y },
  });
  return {
    title: { text: title, subtitle },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      curve(raw, { color: FAINT, strokeWidth: 1 }),
      curve(line, { color: STRONG, strokeWidth: 2, point: line.length <= FEW }),
      {
        data: { values: baselines },
        encoding: { y },
        layer: [
          { mark: { type: "rule" as const, color: GREY, strokeDash: [5, 4] } },
          {
            mark: { type: "text" as const, color: GREY, align: "left" as const, dx: 4, x: WIDTH },
            encoding: { text: { field: "name" } },
          },
        ],
      },
    ],
  };
}

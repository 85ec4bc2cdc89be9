import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Report } from "./report.ts";
import { spread } from "./spread.ts";
import { short } from "./table.ts";

/** A row as a point, both axes logarithmic. */
interface Point {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** Points under the same roof. */
interface Panel {
  readonly title: string;
  readonly points: readonly Point[];
  readonly axes: { readonly x: string; readonly y: string };
  /** What no point can be above, from left to right. */
  readonly roof: readonly Point[];
  /** The smallest value that has a place. */
  readonly floor: number;
}

const COLUMNS = 2;
const WIDTH = 300;
const LEAST_HEIGHT = 220;
/** Between two names beside a panel. */
const LINE = 11;
const STRONG = "#1c5a94";
const FAINT = "#c3d5e6";
const ROOF = "#b5541c";
const GREY = "#767676";

/**
 * SVG of a report against the ceilings of its adapter, after Williams, Waterman and Patterson 2009
 * (https://doi.org/10.1145/1498765.1498785): of each op its GFLOP/s over FLOP per byte, below
 * `min(GFLOP/s of the FMA kernel, FLOP/byte x GB/s of the copy kernel)`; where memory decides, GB/s over what is moved.
 */
export async function drawRoofline(report: Pick<Report, "adapter" | "date" | "ceilings" | "rows">): Promise<string> {
  const { adapter, date, ceilings } = report;
  const spec: TopLevelSpec = {
    title: {
      text: `${adapter.description}, ${adapter.cores} cores`,
      subtitle: `${date.slice(0, 10)}: ${short(ceilings.gflops)} GFLOP/s (FMA), ${short(ceilings.gbytes)} GB/s (copy)`,
      anchor: "start",
      subtitleColor: GREY,
      offset: 16,
    },
    concat: [...arithmeticPanels(report), ...memoryPanels(report)].map(panelSpec),
    columns: COLUMNS,
    spacing: 32,
    background: "white", // dark pages leave pictures as they are
    config: {
      font: "system-ui, sans-serif",
      axis: { labelColor: GREY, titleColor: GREY, gridColor: "#eee", domainColor: "#bbb", tickColor: "#bbb" },
      title: { anchor: "start", frame: "group", fontSize: 13 },
      view: { stroke: null },
    },
  };
  return await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
}

/** A panel for each op that computes, all with the same axes. */
function arithmeticPanels({ ceilings: { gflops, gbytes }, rows }: Pick<Report, "ceilings" | "rows">): Panel[] {
  const points = rows.flatMap((row) =>
    row.gflops && row.gbytes ? [{ name: row.name, x: row.gflops / row.gbytes, y: row.gflops }] : []
  );
  const ridge = gflops / gbytes;
  const intensities = [ridge, ...points.map(({ x }) => x)];
  const [first, last] = [Math.min(...intensities) / 2, Math.max(...intensities) * 2];
  const roof = [
    { name: "", x: first, y: first * gbytes },
    { name: `${short(gbytes)} GB/s`, x: ridge, y: gflops },
    { name: `${short(gflops)} GFLOP/s`, x: last, y: gflops },
  ];
  return Array.from(Map.groupBy(points, ({ name }) => name.split("/")[0]!), ([title, own]) => ({
    title,
    points: own.map((point) => ({ ...point, name: point.name.slice(title.length + 1) })),
    axes: { x: "FLOP/byte", y: "GFLOP/s" },
    roof,
    floor: Math.min(...points.map(({ y }) => y)),
  }));
}

/** Where memory decides: panels for the forward and the backward passes of each model. */
function memoryPanels({ ceilings: { gbytes }, rows }: Pick<Report, "ceilings" | "rows">): Panel[] {
  const points = rows.flatMap((row) =>
    row.gbytes && !row.gflops ? [{ name: row.name, x: row.gbytes * row.ms, y: row.gbytes }] : []
  );
  const moved = points.map(({ x }) => x);
  const ends = [Math.min(...moved) / 2, Math.max(...moved) * 2] as const;
  const roof = ends.map((x, i) => ({ name: i === 0 ? "" : `${short(gbytes)} GB/s`, x, y: gbytes }));
  return Array.from(Map.groupBy(points, ({ name }) => memoryGroup(name)), ([title, own]) => ({
    title: `memory: ${title}`,
    points: own,
    axes: { x: "MB read and written", y: "GB/s" },
    roof,
    floor: Math.min(...points.map(({ y }) => y)),
  }));
}

/** By how the names of their shapes begin. */
const MODELS = { starter: "starter model", nano: "nano", flux: "FLUX.1-dev" };

/** Whose shape a row has, and in which pass. */
function memoryGroup(name: string): string {
  const [op = "", shape = ""] = name.split("/");
  const model = Object.entries(MODELS).find(([start]) => shape.startsWith(start))?.[1] ?? "pictures";
  return op.endsWith("_backward") ? `${model}, backward` : model;
}

function panelSpec({ title, points, axes, roof, floor }: Panel) {
  const height = Math.max(LEAST_HEIGHT, LINE * points.length);
  const [low, high] = [floor / 1.5, 1.5 * Math.max(...[...points, ...roof].map(({ y }) => y))];
  const pixel = (y: number) => height * Math.log(high / y) / Math.log(high / low);
  const places = spread(points.map(({ y }) => pixel(y)), { gap: LINE, end: height });
  const placed = points.map((point, i) => ({ ...point, label: high * (low / high) ** (places[i]! / height) }));
  const xs = roof.map(({ x }) => x);
  const axis = (field: "x" | "y", domain: [number, number]) => ({
    field,
    type: "quantitative" as const,
    title: axes[field],
    scale: { type: "log" as const, domain, nice: false, clamp: true },
    axis: { values: ticks(domain), format: "~s" },
  });
  const [x, y] = [axis("x", [Math.min(...xs), Math.max(...xs)]), axis("y", [low, high])];
  const roofText = { type: "text" as const, color: ROOF, align: "right" as const, dy: -7, fontSize: 10 };
  return {
    title,
    width: WIDTH,
    height,
    layer: [
      {
        data: { values: [...roof] },
        mark: { type: "line" as const, color: ROOF, strokeWidth: 1.5 },
        encoding: { x, y },
      },
      { data: { values: [...roof] }, mark: roofText, encoding: { x, y, text: { field: "name" } } },
      {
        data: { values: placed },
        mark: { type: "rule" as const, color: FAINT, strokeWidth: 0.7 },
        encoding: { x, y, x2: { value: WIDTH + 6 }, y2: { field: "label" } },
      },
      {
        data: { values: placed },
        mark: { type: "point" as const, filled: true, color: STRONG, size: 28 },
        encoding: { x, y },
      },
      {
        data: { values: placed },
        mark: { type: "text" as const, align: "left" as const, x: WIDTH + 8, fontSize: 10, color: "#333" },
        encoding: { y: { ...y, field: "label" }, text: { field: "name" } },
      },
    ],
  };
}

/** 1, 3, 10, 30, ... within the domain. */
function ticks([low, high]: [number, number]): number[] {
  const decades = Array.from({ length: 20 }, (_, i) => 10 ** (i - 9));
  return decades.flatMap((decade) => [decade, 3 * decade]).filter((tick) => low <= tick && tick <= high);
}

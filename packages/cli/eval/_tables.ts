import { FIGURE_NAMES, type FigureName, FIGURES, type Figures } from "@fluxsr/core";
import { type Evaluation, TRUTH } from "./_evaluation.ts";

const TITLES = FIGURE_NAMES.map((name) => FIGURES[name].title);

/** Lines of text, columns below each other, for the terminal: a line for every picture and method. */
export class TextTable {
  readonly #widths: readonly number[];

  /** @param labels all that the first two columns, pictures and methods, will have to hold */
  constructor({ pictures, methods }: { pictures: readonly string[]; methods: readonly string[] }) {
    const width = (texts: readonly string[]) => Math.max(...texts.map((text) => text.length));
    this.#widths = [width(["picture", ...pictures]), width(["method", ...methods]), ...TITLES.map(() => 7)];
  }

  head(): string {
    return this.#line(["picture", "method", ...TITLES]);
  }

  /** A line for each method; the first says what the picture is called. */
  lines(picture: string, figures: ReadonlyMap<string, Figures>): string {
    return [...figures].map(([method, each], i) => this.#line([i === 0 ? picture : "", method, ...cells(each)])).join(
      "",
    );
  }

  #line(texts: readonly string[]): string {
    const padded = texts.map((text, i) => i < 2 ? text.padEnd(this.#widths[i]!) : text.padStart(this.#widths[i]!));
    return `${padded.join("  ").trimEnd()}\n`;
  }
}

/** The means, with the best of each figure in bold, then every picture. */
export function markdown({ pairs, scale, crop_border, network, model, means, pictures }: Evaluation): string {
  const count = `${pictures.length} ${pictures.length === 1 ? "pair" : "pairs"}`;
  const strength = model.strength === 1 ? "" : `, strength ${model.strength}`;
  const best = new Map(FIGURE_NAMES.map((name) => [name, bestOf(name, means)]));
  const meanRows = [...means].map(([method, figures]) => {
    const isBest = (name: FigureName) => figures[name] === best.get(name);
    return [method, ...cells(figures).map((cell, i) => isBest(FIGURE_NAMES[i]!) ? `**${cell}**` : cell)];
  });
  const rows = pictures.flatMap(({ name, figures }) =>
    [...figures].map(([method, each], i) => [i === 0 ? name : "", method, ...cells(each)])
  );
  return [
    `# ${model.name}: ${count}, x${scale}${strength}`,
    "",
    `Means over the pairs in \`${pairs}\`, less a border of ${crop_border} pixels; LPIPS and DISTS with ${network}.`,
    "",
    ...table(["", ...TITLES], meanRows, { labels: 1 }),
    "",
    "## Every picture",
    "",
    ...table(["picture", "method", ...TITLES], rows, { labels: 2 }),
    "",
  ].join("\n");
}

function table(head: readonly string[], rows: readonly string[][], { labels }: { labels: number }): string[] {
  const line = (texts: readonly string[]) => `| ${texts.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, i) => i < labels ? "---" : "--:")), ...rows.map(line)];
}

function cells(figures: Figures): string[] {
  return FIGURE_NAMES.map((name) => {
    const value = figures[name];
    return Number.isNaN(value) ? "-" : Number.isFinite(value) ? value.toFixed(FIGURES[name].digits) : "inf";
  });
}

/** The best value that a method has; NaN if none has one, which equals nothing. The ground truth is no method. */
function bestOf(name: FigureName, means: ReadonlyMap<string, Figures>): number {
  const values = [...means].filter(([method]) => method !== TRUTH).map(([, figures]) => figures[name])
    .filter((value) => !Number.isNaN(value));
  const badness = { higher: (x: number) => -x, lower: (x: number) => x, "near 1": (x: number) => Math.abs(x - 1) };
  const [best = NaN] = values.sort((a, b) => badness[FIGURES[name].better](a) - badness[FIGURES[name].better](b));
  return best;
}

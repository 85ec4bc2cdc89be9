/** A column: its title, and how wide its longest cell is. */
export interface Column {
  readonly title: string;
  readonly width?: number;
  /** Numbers go right, which is the default; words go left. */
  readonly left?: boolean;
}

/** Lines of cells under each other; a line can be printed before the next is known. */
export class Table {
  readonly #columns: readonly (Column & { readonly width: number })[];

  constructor(columns: readonly Column[]) {
    this.#columns = columns.map((column) => ({ ...column, width: Math.max(column.width ?? 0, column.title.length) }));
  }

  /** The titles. */
  head(): string {
    return this.line(this.#columns.map(({ title }) => title));
  }

  line(cells: readonly string[]): string {
    const padded = this.#columns.map(({ width, left = false }, i) => {
      const cell = cells[i] ?? "";
      return left ? cell.padEnd(width) : cell.padStart(width);
    });
    return padded.join("  ").trimEnd();
  }
}

/** Three digits that matter; `-` for what was not measured. */
export function short(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** A share of one as a percentage; `-` for what was not measured. */
export function percent(share: number | undefined): string {
  return share === undefined ? "-" : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;
}

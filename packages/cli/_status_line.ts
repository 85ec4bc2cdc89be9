import type { Host } from "./_host.ts";

const CLEAR = "\r\x1b[K";

/** The line at the bottom of a terminal that says how far the work is; without a terminal there is none. */
export class StatusLine {
  readonly #host: Host;
  #isShown = false;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Puts `text` in its place, cut to the width. Returns whether there is a terminal to show it. */
  show(text: string): boolean {
    const columns = this.#host.columns();
    if (columns === undefined) return false;
    this.#host.err(`${CLEAR}${text.slice(0, Math.max(1, columns - 1))}`); // a line that wraps could not be removed
    this.#isShown = true;
    return true;
  }

  /** Removes it, for others to print. */
  clear(): void {
    if (this.#isShown) this.#host.err(CLEAR);
    this.#isShown = false;
  }

  /** Leaves it as it is, above what comes. */
  keep(): void {
    if (this.#isShown) this.#host.err("\n");
    this.#isShown = false;
  }

  /** Prints a line that stays, in its place. */
  say(line: string): void {
    this.clear();
    this.#host.err(`${line}\n`);
  }
}

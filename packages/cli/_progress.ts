import type { Host } from "./_host.ts";
import { byteSize } from "@fluxsr/core";
import { StatusLine } from "./_status_line.ts";

/** Between two changes of the line while loading, in milliseconds. */
const INTERVAL = 200;

/** How far upscaling is, on a {@linkcode StatusLine}. */
export class Progress {
  readonly #host: Host;
  readonly #line: StatusLine;
  readonly #files: number;
  #file = 0;
  /** When the first tile of the file began. */
  #fileStart = 0;
  /** Files whose tiles are all finished, and the milliseconds that these took. */
  #finished = 0;
  #finishedMs = 0;
  #name = "";
  #loadStart: number | undefined;
  #loadShown = 0;

  constructor(host: Host, { files }: { files: number }) {
    this.#host = host;
    this.#line = new StatusLine(host);
    this.#files = files;
  }

  /** The work on file `number` (from 1) begins. */
  file(number: number, name: string): void {
    this.#file = number;
    this.#name = name;
    this.#show("reading");
  }

  /** What is done other than tiles, e.g. `loading the model`. */
  step(what: string): void {
    this.#show(what);
  }

  /** So many bytes of the model's files are loaded, of all. */
  loading(bytes: number, total: number): void {
    const now = this.#host.now();
    if (this.#loadStart === undefined) this.#loadStart = this.#loadShown = now;
    if (now - this.#loadShown < INTERVAL) return;
    this.#loadShown = now;
    const rate = (bytes / 1e6 / (now - this.#loadStart)).toFixed(2);
    this.#show(`loading the model, ${byteSize(bytes)} of ${byteSize(total)}, ${rate} GB/s`);
  }

  /** `done` of `total` tiles of the file are finished. */
  tiles(done: number, total: number): void {
    if (done === 0) this.#fileStart = this.#host.now();
    this.#show(`tile ${Math.min(done + 1, total)}/${total}${this.#timeLeft(done / total)}`);
    if (done < total) return;
    this.#finished++;
    this.#finishedMs += this.#host.now() - this.#fileStart;
  }

  /** Removes the line, for others to print. */
  clear(): void {
    this.#line.clear();
  }

  #show(what: string): void {
    this.#line.show(`[${this.#file}/${this.#files}] ${what}: ${this.#name}`.replace(/\p{Cc}/gu, " "));
  }

  /** The rest of this file at its own pace, the files to come at the mean of those before. */
  #timeLeft(doneOfFile: number): string {
    if (doneOfFile === 0 && this.#finished === 0) return "";
    const mean = this.#finishedMs / this.#finished;
    const thisFile = doneOfFile > 0 ? (this.#host.now() - this.#fileStart) / doneOfFile : mean;
    const anyFile = (this.#finishedMs + thisFile) / (this.#finished + 1);
    const left = thisFile * (1 - doneOfFile) + anyFile * (this.#files - this.#file);
    return left > 0 ? `, ${duration(Math.ceil(left / 1000))} left` : "";
  }
}

/** `0.5 s`, `3 s`, `3:05 min` or `1:02 h`. */
export function duration(seconds: number): string {
  if (seconds < 9.95 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  const [large, small, unit] = seconds < 6000
    ? [seconds / 60, seconds % 60, "min"]
    : [seconds / 3600, seconds / 60 % 60, "h"];
  return `${Math.floor(large)}:${String(Math.floor(small)).padStart(2, "0")} ${unit}`;
}

import { byteSize } from "@fluxsr/core";
import type { Host } from "./_host.ts";
import { StatusLine } from "./_status_line.ts";

/** Between two changes of the line, in milliseconds. */
const INTERVAL = 200;

/** Says on stderr how many of `total` bytes are written and how fast; without a terminal only at the end. */
export class ByteProgress {
  readonly #host: Host;
  readonly #line: StatusLine;
  readonly #total: number;
  readonly #start: number;
  #written = 0;
  #shown = -Infinity;

  constructor(host: Host, { total }: { total: number }) {
    this.#host = host;
    this.#line = new StatusLine(host);
    this.#total = total;
    this.#start = host.now();
  }

  /** `bytes` more are written. */
  add(bytes: number): void {
    this.#written += bytes;
    const now = this.#host.now();
    if (now - this.#shown < INTERVAL) return;
    this.#shown = now;
    this.#line.show(`${byteSize(this.#written)} of ${byteSize(this.#total)}${this.#rate()}`);
  }

  /** {@linkcode add}, which ends the work with the reason of `signal` once that is raised. */
  until(signal: AbortSignal): (bytes: number) => void {
    return (bytes) => {
      signal.throwIfAborted();
      this.add(bytes);
    };
  }

  /** All is written to `path`. */
  done(path: string): void {
    this.#line.say(`${path} (${byteSize(this.#written)}${this.#rate()})`);
  }

  /** The user interrupted the work on `path`. */
  stopped(path: string): void {
    this.#line.say(`Stopped: ${path} is as it was`);
    this.#host.exitCode(130);
  }

  #rate(): string {
    const milliseconds = this.#host.now() - this.#start;
    return milliseconds > 0 ? `, ${(this.#written / 1e6 / milliseconds).toFixed(2)} GB/s` : "";
  }
}

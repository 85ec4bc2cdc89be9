import type { RunProgress } from "@fluxsr/train";
import type { Host } from "../_host.ts";
import { duration } from "../_progress.ts";
import { StatusLine } from "../_status_line.ts";

/** How far a training is: one line that changes on a terminal, a line a minute elsewhere. */
export class TrainProgress {
  readonly #host: Host;
  readonly #line: StatusLine;
  #lastLine = -Infinity;

  constructor(host: Host) {
    this.#host = host;
    this.#line = new StatusLine(host);
  }

  show({ step, steps, loss, picturesPerSecond, secondsLeft }: RunProgress): void {
    const left = secondsLeft > 0 ? `, ${duration(Math.ceil(secondsLeft))} left` : "";
    const pace = `${picturesPerSecond.toPrecision(3)} images/s`;
    const line = `step ${step}/${steps}: loss ${loss.toPrecision(4)}, ${pace}${left}`;
    if (this.#line.show(line) || this.#host.now() - this.#lastLine < 60_000 && step < steps) return;
    this.#host.err(`${line}\n`);
    this.#lastLine = this.#host.now();
  }

  /** A line that stays, below the one that is shown. */
  say(text: string): void {
    this.end();
    this.#line.say(text);
  }

  /** Leaves the line as it is. */
  end(): void {
    this.#line.keep();
  }
}

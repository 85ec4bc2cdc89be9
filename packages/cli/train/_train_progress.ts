import type { RunProgress } from "@fluxsr/train";
import type { Host } from "../_host.ts";
import { duration } from "../_progress.ts";

/** How far a training is: one line that changes on a terminal, a line a minute elsewhere. */
export class TrainProgress {
  readonly #host: Host;
  #isShown = false;
  #lastLine = -Infinity;

  constructor(host: Host) {
    this.#host = host;
  }

  show({ step, steps, loss, picturesPerSecond, secondsLeft }: RunProgress): void {
    const left = secondsLeft > 0 ? `, ${duration(Math.ceil(secondsLeft))} left` : "";
    const pace = `${picturesPerSecond.toPrecision(3)} images/s`;
    const line = `step ${step}/${steps}: loss ${loss.toPrecision(4)}, ${pace}${left}`;
    const columns = this.#host.columns();
    if (columns !== undefined) {
      this.#host.err(`\r\x1b[K${line.slice(0, Math.max(1, columns - 1))}`);
      this.#isShown = true;
    } else if (this.#host.now() - this.#lastLine >= 60_000 || step === steps) {
      this.#host.err(`${line}\n`);
      this.#lastLine = this.#host.now();
    }
  }

  /** A line that stays. */
  say(text: string): void {
    this.end();
    this.#host.err(`${text}\n`);
  }

  /** Leaves the line as it is. */
  end(): void {
    if (this.#isShown) this.#host.err("\n");
    this.#isShown = false;
  }
}

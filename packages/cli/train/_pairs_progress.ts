import type { MadePair } from "@fluxsr/train";
import type { Host } from "../_host.ts";
import { duration } from "../_progress.ts";
import { StatusLine } from "../_status_line.ts";

/** Seconds between two lines where there is no terminal whose line could be replaced. */
const PAUSE = 30;

/** Says on stderr how far the pairs are, and in the end what they are like. */
export class PairsProgress {
  readonly #host: Host;
  readonly #line: StatusLine;
  readonly #count: number;
  readonly #errors: number[] = [];
  #start: number;
  #shown: number;
  #made = 0;

  /** @param options `count` pairs in all, some of which may be there already */
  constructor(host: Host, { count }: { count: number }) {
    this.#host = host;
    this.#line = new StatusLine(host);
    this.#count = count;
    this.#start = this.#shown = host.now();
  }

  /** The teacher is loaded: from here on time is counted, unless some were made before it had to be loaded again. */
  begin(): void {
    if (this.#made === 0) this.#start = this.#shown = this.#host.now();
  }

  /** Prints a line. */
  say(line: string): void {
    this.#line.say(line);
  }

  /** Another pair was made, and now there are `done`. */
  pair(done: number, { round_trip }: Pick<MadePair, "round_trip">): void {
    this.#made++;
    if (round_trip !== undefined) this.#errors.push(round_trip);
    const left = duration(Math.ceil(this.#secondsEach() * (this.#count - done)));
    const line = `${done}/${this.#count} pairs, ${duration(this.#secondsEach())} each, ${left} left`;
    if (this.#line.show(line) || this.#host.now() - this.#shown < 1000 * PAUSE) return;
    this.say(line);
    this.#shown = this.#host.now();
  }

  /** The work on `out` has ended, and now there are `done`. */
  end(done: number, out: string): void {
    const speed = this.#made === 0 ? "" : `: ${this.#made} made, ${duration(this.#secondsEach())} each`;
    this.say(`${out} has ${done} of ${this.#count} pairs${speed}`);
    const errors = this.#errors.toSorted((a, b) => a - b);
    const [median, worst] = [errors[errors.length >> 1], errors.at(-1)];
    if (median === undefined || worst === undefined) return;
    this.say(`To the noise and back, the latents lose ${percent(median)} (median), ${percent(worst)} (worst)`);
  }

  #secondsEach(): number {
    return (this.#host.now() - this.#start) / 1000 / this.#made;
  }
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}
